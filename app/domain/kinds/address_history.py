"""AddressHistory (fairlead.io/v1): who held which address or port, from when to when."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import PROTOCOL, Int32, MicroTime, Wire, one_of


class AddressHistorySpec(Wire):
    """One claim on an address or on a port.

    Attributes:
        resource: ClusterIP, NodePort, LoadBalancerAddress, or LoadBalancerPort for one port of a load balancer address.
        address: The address; left out for a NodePort.
        protocol: TCP, UDP or SCTP; only of a LoadBalancerPort.
        port: The number of the port; only of a NodePort and a LoadBalancerPort.
        kind: The kind of the holder, such as Service.
        namespace: The namespace of the holder.
        name: The name of the holder.
        uid: The uid of the holder. Another object may have had the same name before or after.
        since: When the holder got it, by the database's clock.
        until: When the holder let go of it; left out while the holder has it.
    """

    resource: Annotated[str, one_of("ClusterIP", "NodePort", "LoadBalancerAddress", "LoadBalancerPort")] = ""
    address: str = ""
    protocol: Annotated[str, PROTOCOL] = ""
    port: Int32 = 0
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    since: MicroTime | None = None
    until: MicroTime | None = None


class AddressHistory(KubeObject):
    """Who held an address or a port, from when to when. Read-only."""

    spec: AddressHistorySpec = field(default_factory=AddressHistorySpec)
