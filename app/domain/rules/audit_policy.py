"""What of a request is written into the audit log (audit.k8s.io/v1 Policy of Kubernetes): the first rule that fits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from app.domain.rules.access.requests import PathRequest, Request, ResourceRequest
from app.domain.user import User


class Level(IntEnum):
    """How much is written; each level has what the one before has."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


LEVELS = {
    "None": Level.NONE,
    "Metadata": Level.METADATA,
    "Request": Level.REQUEST,
    "RequestResponse": Level.REQUEST_RESPONSE,
}
"""Levels by their names on the wire."""
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
"""When an event is written: before a request is carried out; when a watch begins; with its answer; at a defect."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written of one request.

    Attributes:
        level: How much.
        omitted_stages: When nothing is.
        omits_managed_fields: Whether objects are written without `metadata.managedFields`.
    """

    level: Level = Level.NONE
    omitted_stages: frozenset[str] = frozenset()
    omits_managed_fields: bool = False


@dataclass(frozen=True, slots=True)
class ResourceSelection:
    """Resources of one group; no names and no objects stand for all.

    Attributes:
        group: The API group, "" for the core group.
        resources: `pods`, `pods/status`, `pods/*`, `*/status` or `*`.
        names: Names of objects.
    """

    group: str
    resources: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()

    def fits(self, request: ResourceRequest) -> bool:
        """Whether a request is for one of these."""
        if request.group != self.group or (self.names and self.resources and request.name not in self.names):
            return False
        wanted = {request.path, "*", f"{request.resource}/*"}
        if request.subresource:
            wanted.add(f"*/{request.subresource}")
        return not self.resources or any(each in wanted for each in self.resources)


@dataclass(frozen=True, slots=True)
class AuditRule:
    """Fits requests for which everything holds that it names. What is empty fits any.

    Attributes:
        decision: What is written of such a request.
        users: Names of users.
        groups: Groups, one of which the user is in.
        verbs: Verbs.
        namespaces: Namespaces, "" for what is in none.
        selections: Resources.
        paths: Paths that are no resources; `*` at the end stands for any rest.
    """

    decision: Decision
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    selections: tuple[ResourceSelection, ...] = ()
    paths: tuple[str, ...] = ()

    def fits(self, user: User, request: Request) -> bool:
        """Whether it is the rule for a request."""
        if self.users and user.name not in self.users:
            return False
        if self.groups and self.groups.isdisjoint(user.groups):
            return False
        if self.verbs and request.verb not in self.verbs:
            return False
        if self.namespaces or self.selections:
            return isinstance(request, ResourceRequest) and self._fits_resource(request)
        if self.paths:
            return isinstance(request, PathRequest) and _is_below(request.path, self.paths)
        return True

    def _fits_resource(self, request: ResourceRequest) -> bool:
        if self.namespaces and request.namespace not in self.namespaces:
            return False
        return not self.selections or any(each.fits(request) for each in self.selections)


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """Rules in their order. A request that none fits is not written."""

    rules: Sequence[AuditRule]

    def decide(self, user: User, request: Request) -> Decision:
        """What is written of a request."""
        for rule in self.rules:
            if rule.fits(user, request):
                return rule.decision
        return _NOTHING


_NOTHING = Decision()


def _is_below(path: str, patterns: Collection[str]) -> bool:
    return any(path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern for pattern in patterns)
