"""IPAddress (networking.k8s.io/v1): one ClusterIP in use, or one that a client keeps for itself (KEP-1880).

Those of Services are computed from the Services; one that a client creates is stored and holds its address.
"""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire


class ParentReference(Wire):
    """What an address belongs to.

    Attributes:
        group: API group of the parent; empty for the core group.
        resource: Of the parent, in the plural: services.
        namespace: Of the parent; empty for one without.
        name: Of the parent.
    """

    required = ("resource", "name")

    group: str = ""
    resource: str = field(default_factory=str)
    namespace: str = ""
    name: str = field(default_factory=str)


class IPAddressSpec(Wire):
    """What the address belongs to.

    Attributes:
        parent_ref: The object that holds the address; stays.
    """

    required = ("parent_ref",)

    parent_ref: ParentReference | None = None


class IPAddress(KubeObject):
    """An address, which is its name in canonical text."""

    spec: IPAddressSpec = field(default_factory=IPAddressSpec)
