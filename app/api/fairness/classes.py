"""The classes into which requests are divided, what each may take, and whose a request is."""

from collections.abc import Mapping
from typing import Literal, Protocol

from app.api.fairness.line import Bounds
from app.domain.rules.access.requests import PathRequest, Request
from app.domain.user import ANONYMOUS, MASTERS, User

Class = Literal["system", "write", "read", "watch", "list"]
CLASSES: tuple[Class, ...] = ("system", "write", "read", "watch", "list")

_PERCENT_OF_READS: Mapping[Class, int] = {"system": 30, "read": 50, "watch": 16, "list": 2}
"""How the seats that are not for writes are divided. A list keeps the process busy from its first object to its last,
so that more of them at once would only be slower, each and all."""
_FEWEST_SEATS = 2
"""With one seat, every flow would have to wait for the others."""
_MOST_OF_A_CLASS = 2
"""Requests of a class that may wait, as a multiple of what one user may have waiting."""
_LISTS_OF_WAITING = 4
"""Lists that may wait, as a fraction of what else may: they take longer."""

_OF_VERBS: Mapping[str, Class] = {
    "get": "read",
    "list": "list",
    "watch": "watch",
    "create": "write",
    "update": "write",
    "patch": "write",
    "delete": "write",
    "deletecollection": "write",
}
_PROBES = ("healthz", "livez", "readyz")
_OBSERVED = ("/metrics", "/leases")
"""Paths by which somebody sees what goes on when too much does."""
_SYSTEM_USERS = frozenset({"system:kube-controller-manager", "system:kube-proxy", "system:kube-scheduler"})
_SYSTEM_PREFIXES = ("system:node:", "system:serviceaccount:kube-system:")
_NODES = "system:nodes"
HEAVY, ORDINARY = 4, 1


def class_of(user: User, request: Request) -> Class | None:
    """The class of a request, None for a probe of health, which never waits.

    Leases are of the class `system`, whoever renews them, as whatever they guard is lost when that comes late. The
    lists of system clients are with other lists, since they cost as much, and have a greater weight there.
    """
    if isinstance(request, PathRequest):
        if request.path[1:].partition("/")[0] in _PROBES:
            return None
        return "system" if request.path in _OBSERVED else "read"
    of_verb = _OF_VERBS.get(request.verb, "read")
    if of_verb != "list" and (request.resource == "leases" or is_system(user)):
        return "system"
    return of_verb


def weight_of(user: User) -> int:
    """The weight of a user: system clients, and whoever may do everything, get four turns where others get one."""
    return HEAVY if MASTERS in user.groups or is_system(user) else ORDINARY


def is_system(user: User) -> bool:
    """Whether a user is a part of a cluster on which others depend: a node, kube-proxy, an account of kube-system."""
    name = user.name
    if not name.startswith("system:"):
        return False
    return name in _SYSTEM_USERS or name.startswith(_SYSTEM_PREFIXES) or _NODES in user.groups


class Sender(Protocol):
    """What sends a request."""

    @property
    def address(self) -> str:
        """The address from which it comes."""
        ...


def flow_of(user: User, sender: Sender) -> str:
    """Whose a request is: the user's; of strangers, each address counts by itself."""
    return f"{user.name} {sender.address}" if user.name == ANONYMOUS.name else user.name


def bounds(reads: int, writes: int, waiting: int) -> Mapping[Class, Bounds]:
    """What each class may take.

    Args:
        reads: Requests that do not write, and those of system clients, that are answered at once.
        writes: Requests that write and are answered at once.
        waiting: Requests of one user that may wait in a class, a quarter of it for lists.
    """
    seats = {name: max(_FEWEST_SEATS, reads * percent // 100) for name, percent in _PERCENT_OF_READS.items()}
    seats["write"] = writes
    most = dict.fromkeys(CLASSES, waiting) | {"list": max(1, waiting // _LISTS_OF_WAITING)}
    return {name: Bounds(seats[name], _MOST_OF_A_CLASS * most[name], most[name]) for name in CLASSES}
