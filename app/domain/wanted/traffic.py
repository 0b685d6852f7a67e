"""What one data plane does with the traffic of one Service, in terms that every kind of load balancer has."""

import msgspec

EVERYBODY = ("0.0.0.0/0", "::/0")
"""The sources of a listener that admits all clients."""


class PlaneProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Which traffic a data plane is there for.

    Attributes:
        scopes: internal, external or both: the frontends that it serves.
        pools: The AddressPools whose addresses it serves; None for all of its scopes.
        node: The node that it runs on, whose members serve Services with `externalTrafficPolicy` Local; "" for none.
        node_addresses: The addresses at which it answers node ports and health check node ports.
        embedded: Whether it is the one that `serve` runs, on loopback.
    """

    scopes: tuple[str, ...] = ("external", "internal")
    pools: tuple[str, ...] | None = None
    node: str = ""
    node_addresses: tuple[str, ...] = ()
    embedded: bool = False


class Member(msgspec.Struct, frozen=True):
    """An address that takes traffic.

    Attributes:
        address: Canonical text.
        port: Where traffic goes.
        probe_port: Where it is probed, if it is.
        fallback: Whether it gets traffic only when no other member can take any: it terminates, and still serves.
    """

    address: str
    port: int
    probe_port: int
    fallback: bool = False


class Probing(msgspec.Struct, frozen=True):
    """How members are probed.

    Attributes:
        protocol: Tcp, Http or Https.
        path: Of the request, for Http and Https.
        interval: Seconds from one probe to the next.
        threshold: Failed probes in a row after which a member gets no traffic.
    """

    protocol: str
    path: str
    interval: int
    threshold: int


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """Members among which the traffic of one port is divided.

    Attributes:
        name: Unique among all Services, and the same as long as the Service has the port.
        protocol: TCP or UDP.
        members: In the order of their addresses.
        probing: None where nobody asks: then every member counts as well.
        affinity: Whether a client stays with its member.
        proxy_protocol: Version of the PROXY protocol that tells members their client's address, 0 for none.
    """

    name: str
    protocol: str
    members: tuple[Member, ...]
    probing: Probing | None = None
    affinity: bool = False
    proxy_protocol: int = 0


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """An address and port at which traffic arrives.

    Attributes:
        address: Canonical text.
        port: Its number.
        protocol: TCP or UDP.
        backend: Name of the backend.
        sources: CIDRs of the clients that are admitted, of the address's family; none admits nobody.
        idle_timeout: Seconds without traffic after which a connection ends.
        affinity: Whether a client stays with its member.
    """

    address: str
    port: int
    protocol: str
    backend: str
    sources: tuple[str, ...]
    idle_timeout: int
    affinity: bool = False

    @property
    def name(self) -> str:
        """By which data planes know it: another Service that gets the address takes the listener over."""
        return f"{self.protocol}/{self.address}/{self.port}"


class HealthListener(msgspec.Struct, frozen=True):
    """A port at which a node tells whether it has members of a Service with `externalTrafficPolicy` Local.

    Attributes:
        address: Canonical text.
        port: The Service's healthCheckNodePort.
        members: How many the node has.
    """

    address: str
    port: int
    members: int

    @property
    def name(self) -> str:
        """By which data planes know it."""
        return f"healthz/{self.address}/{self.port}"


class Traffic(msgspec.Struct, frozen=True):
    """All that a data plane does for one Service.

    Attributes:
        backends: What listeners refer to.
        listeners: Where its traffic arrives.
        health_listeners: Where nodes are asked for its members.
        limitations: What the Service asks for and this data plane cannot do, in words.
    """

    backends: tuple[Backend, ...] = ()
    listeners: tuple[Listener, ...] = ()
    health_listeners: tuple[HealthListener, ...] = ()
    limitations: tuple[str, ...] = ()


NOTHING = Traffic()
