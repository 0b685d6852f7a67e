"""The configuration file of HAProxy (2.6 or newer) for the traffic of all Services."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from app.domain.wanted.traffic import Backend, HealthListener, Listener, Member, Traffic
from app.providers.lb.pushes import ServiceKey

UDP_MESSAGE = "HAProxy takes no UDP"

_FEWEST_SLOTS = 4
_CONNECT_SECONDS = 5
_NOBODY = "0.0.0.0:1"
"""The address of a slot that has no member."""

_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a member, which can be filled and emptied without a reload.

    Attributes:
        backend: The name of the backend in the file.
        name: The name of the server in the file.
        member: None while it is empty.
        probed: Whether its members are probed.
    """

    backend: str
    name: str
    member: Member | None
    probed: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file, and what of it can change without a reload.

    Attributes:
        text: The whole file.
        mark: Differs whenever something differs that needs a reload. The running HAProxy shows it as its description.
        slots: All places for members.
        binds: Address and port of each listener, with the Service.
        unserved: What is not in the file, in words, by Service.
    """

    text: str
    mark: str
    slots: tuple[Slot, ...]
    binds: Mapping[tuple[str, int], ServiceKey]
    unserved: Mapping[ServiceKey, str]


def rendered(wanted: Mapping[ServiceKey, Traffic], stats_socket: Path, slots_before: Mapping[str, int]) -> Rendered:
    """The file.

    Args:
        wanted: The traffic of all Services.
        stats_socket: The Unix socket of the runtime API.
        slots_before: By backend how many slots it has: it gets no fewer, so that fewer members need no reload.
    """
    body: list[str] = []
    slots: list[Slot] = []
    binds: dict[tuple[str, int], ServiceKey] = {}
    unserved: dict[ServiceKey, str] = {}
    for key, traffic in sorted(wanted.items()):
        problems = list(traffic.limitations)
        tcp = {each.name: each for each in traffic.backends if each.protocol == "TCP"}
        problems += [UDP_MESSAGE] if len(tcp) < len(traffic.backends) else []
        for backend in tcp.values():
            found = _slots(backend, slots_before.get(_name(backend.name), 0))
            slots += found
            body += _backend(backend, found)
        for listener in traffic.listeners:
            if listener.backend in tcp and listener.sources:
                binds[listener.address, listener.port] = key
                body += _frontend(listener)
        for health in traffic.health_listeners:
            binds[health.address, health.port] = key
            body += _health(health, tcp)
        if problems:
            unserved[key] = "; ".join(problems)
    masked = [line for line in body if not line.startswith("    server ")]
    masked += [f"{each.backend}/{each.name}" for each in slots]
    mark = blake2b("\n".join(masked).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return Rendered("\n".join([*_head(stats_socket, mark), *body, ""]), mark, tuple(slots), binds, unserved)


def _head(stats_socket: Path, mark: str) -> Iterator[str]:
    yield "# Written by fairlead; it is replaced whenever Services change."
    yield "global"
    yield f"    stats socket {stats_socket} mode 600 level admin expose-fd listeners"
    yield f"    description fairlead-{mark}"
    yield "defaults"
    yield "    mode tcp"
    yield f"    timeout connect {_CONNECT_SECONDS}s"
    yield "    timeout client 4m"
    yield "    timeout server 4m"
    yield "    retries 2"
    yield "    option redispatch 1"
    yield "    default-server init-addr none"


def _slots(backend: Backend, before: int) -> list[Slot]:
    """Slots for members, and as many for those that are a fallback."""
    name = _name(backend.name)
    well = [each for each in backend.members if not each.fallback]
    fallback = [each for each in backend.members if each.fallback]
    count = max(_FEWEST_SLOTS, before, _rounded(max(len(well), len(fallback))))
    probed = backend.probing is not None
    return [
        Slot(name, f"{kind}{number}", members[number] if number < len(members) else None, probed)
        for kind, members in (("m", well), ("f", fallback))
        for number in range(count)
    ]


def _rounded(count: int) -> int:
    """The next power of two: a growing backend needs few reloads."""
    return 1 << max(count - 1, 0).bit_length()


def _backend(backend: Backend, slots: Sequence[Slot]) -> Iterator[str]:
    probing, options = backend.probing, ""
    yield f"backend {_name(backend.name)}"
    yield "    balance source" if backend.affinity else "    balance roundrobin"
    if backend.affinity:
        yield "    hash-type consistent"
    yield "    option allbackups"
    if probing is not None:
        options = f" check inter {probing.interval}s fall {probing.threshold} rise 1"
        if probing.protocol != "Tcp":
            yield f"    option httpchk GET {_escaped(probing.path)}"
            options += " check-ssl verify none" if probing.protocol == "Https" else ""
    if backend.proxy_protocol:
        options += f" send-proxy{'-v2' if backend.proxy_protocol > 1 else ''}"
        options += " check-send-proxy" if probing is not None else ""
    for slot in slots:
        yield _server(slot, options)


def _server(slot: Slot, options: str) -> str:
    member = slot.member
    place = _NOBODY if member is None else _place(member.address, member.port)
    port = f" port {1 if member is None else member.probe_port}" if slot.probed else ""
    backup = " backup" if slot.name.startswith("f") else ""
    return f"    server {slot.name} {place}{options}{port}{backup}{' disabled' if member is None else ''}"


def _frontend(listener: Listener) -> Iterator[str]:
    yield f"frontend {_name(listener.name)}"
    yield f"    bind {_place(listener.address, listener.port)}"
    yield f"    timeout client {listener.idle_timeout}s"
    if not any(each.endswith("/0") for each in listener.sources):
        yield f"    acl admitted src {' '.join(listener.sources)}"
        yield "    tcp-request connection reject unless admitted"
    yield f"    default_backend {_name(listener.backend)}"


def _health(health: HealthListener, backends: Iterable[str]) -> Iterator[str]:
    """What kube-proxy answers at the healthCheckNodePort. Members that are probed count while they are well."""
    name = next((_name(each) for each in backends), "")
    yield f"frontend {_name(health.name)}"
    yield "    mode http"
    yield "    timeout client 10s"
    yield f"    bind {_place(health.address, health.port)}"
    answer = 'content-type application/json lf-string \'{"localEndpoints":%[nbsrv(' + name + ")]}'"
    if name:
        yield f"    http-request return status 200 {answer} if {{ nbsrv({name}) gt 0 }}"
    status, count = (200, health.members) if health.members and not name else (503, 0)
    body = f"string '{{\"localEndpoints\":{count}}}'"
    yield f"    http-request return status {status} content-type application/json {body}"


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _name(name: str) -> str:
    """A name as HAProxy takes it: letters, digits and `-_.:`; namespaces and names have none but these."""
    return name.replace("/", ":")


def _escaped(path: str) -> str:
    """A path as one word of the file."""
    return "".join(f"\\{each}" if each in "\\\"' #$" else each for each in path)
