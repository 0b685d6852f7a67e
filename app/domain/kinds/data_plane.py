"""DataPlane (fairlead.io/v1): a program that takes traffic, as it reports itself."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Int64, MicroTime, Time, Wire, one_of, patch_key
from app.domain.kinds.meta import Condition


class DataPlaneSpec(Wire):
    """What the data plane is there for. It says so itself.

    Attributes:
        type: Envoy or HAProxy.
        scopes: internal, external or both: the load balancers whose frontends it serves.
        pools: The AddressPools whose addresses it serves; all of its scopes when left out.
        node: The Node that it runs on, whose members serve Services with externalTrafficPolicy Local.
        node_addresses: The addresses at which it answers node ports.
    """

    type: Annotated[str, one_of("Envoy", "HAProxy")] = ""
    scopes: Annotated[list[str], ATOMIC] | None = None
    pools: Annotated[list[str], ATOMIC] | None = None
    node: str = ""
    node_addresses: Annotated[list[str], ATOMIC] | None = None


class DataPlaneRejection(Wire):
    """Something of a Service that the data plane does not serve.

    Attributes:
        namespace: Of the Service.
        name: Of the Service.
        resource: The part of the configuration that it refused; left out where it was not even sent.
        message: Why, in the words of the data plane.
    """

    required = ("namespace", "name", "message")

    namespace: str = field(default_factory=str)
    name: str = field(default_factory=str)
    resource: str = ""
    message: str = field(default_factory=str)


class DataPlaneStatus(Wire):
    """How far the data plane is.

    Attributes:
        version: Its program and version.
        server: The process that it is connected to.
        connected_at: When it connected.
        reported_at: When this status was written last. A connected data plane is reported every ten seconds.
        revision: It has taken over all changes up to this resourceVersion, but for what it rejected.
        services: How many Services have resources there.
        rejected: What it does not serve, at most 10000 entries; the first 1000 say why.
        rejected_count: How much it does not serve.
        conditions: Connected tells whether it can be told of changes. Current tells whether it has taken over all of
            them; its reason is Warming while it waits for the first answers of new members.
    """

    version: str = ""
    server: str = ""
    connected_at: Time | None = None
    reported_at: MicroTime | None = None
    revision: Int64 = 0
    services: Int32 = 0
    rejected: Annotated[list[DataPlaneRejection], ATOMIC] | None = None
    rejected_count: Int32 = 0
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DataPlane(KubeObject):
    """A program that takes traffic."""

    spec: DataPlaneSpec = field(default_factory=DataPlaneSpec)
    status: DataPlaneStatus = field(default_factory=DataPlaneStatus)
