"""The rights of a user, compiled from the rules of roles, and what they allow (RBAC of Kubernetes)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.kinds.role import PolicyRule
from app.domain.rules.access.requests import PathRequest, Request, ResourceRequest

ALL = "*"
EVERYTHING = (
    PolicyRule(verbs=[ALL], api_groups=[ALL], resources=[ALL]),
    PolicyRule(verbs=[ALL], non_resource_urls=[ALL]),
)
"""The rules of cluster-admin, and of whoever is in the group system:masters."""

_REMEMBERED = 10_000
"""Kinds of requests whose answer is remembered for one user."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One rule, with its lists as sets.

    Attributes:
        rule: The rule as the role has it.
        verbs, groups, resources, names, paths: Its lists.
        prefixes: The beginnings of the paths that end with `*`.
    """

    rule: PolicyRule
    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    paths: frozenset[str]
    prefixes: tuple[str, ...]

    def allows_kind_of(self, request: ResourceRequest) -> bool:
        """Whether it allows a request, if the name of the object is left out of account."""
        return (
            (ALL in self.verbs or request.verb in self.verbs)
            and (ALL in self.groups or request.group in self.groups)
            and self._has_resource(request)
        )

    def _has_resource(self, request: ResourceRequest) -> bool:
        """`*` is every resource and subresource, `*/status` that subresource of all; `services/*` is no wildcard."""
        if ALL in self.resources or request.path in self.resources:
            return True
        return bool(request.subresource) and f"*/{request.subresource}" in self.resources

    def allows_path(self, request: PathRequest) -> bool:
        """Whether it allows a request for a path that is no resource."""
        if ALL not in self.verbs and request.verb not in self.verbs:
            return False
        return request.path in self.paths or request.path.startswith(self.prefixes)


def compiled(rules: Iterable[PolicyRule] | None) -> tuple[CompiledRule, ...]:
    """The rules of a role, ready to be asked."""
    return tuple(map(_compiled, rules or ()))


def _compiled(rule: PolicyRule) -> CompiledRule:
    paths = rule.non_resource_urls or ()
    return CompiledRule(
        rule,
        frozenset(rule.verbs or ()),
        frozenset(rule.api_groups or ()),
        frozenset(rule.resources or ()),
        frozenset(rule.resource_names or ()),
        frozenset(paths),
        tuple(path.rstrip(ALL) for path in paths if path.endswith(ALL)),
    )


class Rights:
    """The rights of one user, as the bindings of one moment give them. Rights only add up.

    Answers are remembered by verb, resource and namespace, so that most requests cost one look-up.
    """

    def __init__(
        self, everywhere: Sequence[CompiledRule], by_namespace: Mapping[str, Sequence[CompiledRule]] | None = None
    ) -> None:
        """Have the rights that apply everywhere, and those that apply in a namespace only."""
        self._everywhere = everywhere
        self._by_namespace = by_namespace or {}
        # None stands for every object, a set for the objects of these names.
        self._answers: dict[tuple[str, str, str, str, str], frozenset[str] | None] = {}

    def allows(self, request: Request) -> bool:
        """Whether the user may do it."""
        if isinstance(request, PathRequest):
            return any(rule.allows_path(request) for rule in self._everywhere)
        key = (request.verb, request.group, request.resource, request.subresource, request.namespace)
        try:
            names = self._answers[key]
        except KeyError:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            names = self._answers[key] = self._names(request)
        return names is None or request.name in names

    def rules(self, namespace: str) -> list[PolicyRule]:
        """The rules that apply in a namespace; with "", those that apply everywhere."""
        return [each.rule for each in self.in_force(namespace)]

    def in_force(self, namespace: str) -> list[CompiledRule]:
        """The same, compiled."""
        return [*self._everywhere, *(self._by_namespace.get(namespace, ()) if namespace else ())]

    def _names(self, request: ResourceRequest) -> frozenset[str] | None:
        names: set[str] = set()
        for rule in self.in_force(request.namespace):
            if rule.allows_kind_of(request):
                if not rule.names:
                    return None
                names |= rule.names
        return frozenset(names)
