"""The roles and bindings that are there from the start, with Kubernetes' names (bootstrappolicy).

What people who work in a namespace may do, `admin`, `edit` and `view`, follows from the declarations of the kinds.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.domain.declarations.catalog import ALL as ALL_KINDS
from app.domain.declarations.kind import DefaultRole, Kind
from app.domain.declarations.reviews import REVIEWS
from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.meta import LabelSelector
from app.domain.kinds.role import AggregationRule, ClusterRole, PolicyRule
from app.domain.kinds.role_binding import ClusterRoleBinding, RoleRef, Subject
from app.domain.rules.access.aggregation import aggregated_rules
from app.domain.rules.access.reconciling import AUTOUPDATE
from app.domain.rules.access.rights import EVERYTHING
from app.domain.rules.role import RBAC
from app.domain.rules.role_binding import CLUSTER_ROLE, GROUP, USER
from app.domain.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, MASTERS

PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
"""What everybody may read, also without a token."""

_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_READ, _FOLLOW, _CREATE = ("get", "list", "watch"), ("list", "watch"), ("create",)
_KEEP = ("create", "get", "patch", "update")
_REGISTER = ("create", "delete", "get", "list", "patch", "update", "watch")
_TELL = ("create", "patch", "update")
_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_ISSUER = ("/.well-known/openid-configuration", "/openid/v1/jwks")


def _rule(verbs: Sequence[str], group: str, *resources: str) -> PolicyRule:
    return PolicyRule(verbs=list(verbs), api_groups=[group], resources=list(resources))


def _paths(*paths: str) -> list[PolicyRule]:
    return [PolicyRule(verbs=["get"], non_resource_urls=list(paths))]


_EVENTS = [_rule(_TELL, group, "events") for group in ("", "events.k8s.io")]

_OF_PROGRAMS: dict[str, list[PolicyRule]] = {
    "cluster-admin": list(EVERYTHING),
    "system:auth-delegator": [
        _rule(_CREATE, _AUTHENTICATION, "tokenreviews"),
        _rule(_CREATE, _AUTHORIZATION, "subjectaccessreviews"),
    ],
    "system:basic-user": [
        _rule(_CREATE, _AUTHORIZATION, "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        _rule(_CREATE, _AUTHENTICATION, "selfsubjectreviews"),
    ],
    "system:coredns": [
        _rule(_FOLLOW, "", "endpoints", "namespaces", "pods", "services"),
        _rule(_FOLLOW, "discovery.k8s.io", "endpointslices"),
    ],
    "system:discovery": _paths("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *PUBLIC_PATHS),
    "system:external-dns": [
        _rule(_READ, "", "endpoints", "namespaces", "nodes", "pods", "services"),
        _rule(_READ, "discovery.k8s.io", "endpointslices"),
    ],
    "system:monitoring": _paths(
        "/healthz", "/healthz/*", "/leases", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*"
    ),
    "system:node-proxier": [
        _rule(_FOLLOW, "", "endpoints", "services"),
        _rule(_READ, "", "nodes"),
        *_EVENTS,
        _rule(_FOLLOW, "discovery.k8s.io", "endpointslices"),
        _rule(_FOLLOW, "networking.k8s.io", "servicecidrs"),
    ],
    "system:public-info-viewer": _paths(*PUBLIC_PATHS),
    "system:registration-agent": [
        _rule(_REGISTER, "", "nodes", "pods"),
        _rule(("get", "patch", "update"), "", "nodes/status", "pods/status"),
        _rule((*_KEEP, "delete"), "coordination.k8s.io", "leases"),
        *_EVENTS,
    ],
    "system:service-account-issuer-discovery": _paths(*(path + end for path in _ISSUER for end in ("", "/"))),
}

_BOUND: dict[str, tuple[tuple[str, str], ...]] = {
    "cluster-admin": ((GROUP, MASTERS),),
    "system:basic-user": ((GROUP, ALL_AUTHENTICATED),),
    "system:discovery": ((GROUP, ALL_AUTHENTICATED),),
    "system:monitoring": ((GROUP, "system:monitoring"),),
    "system:node-proxier": ((USER, "system:kube-proxy"),),
    "system:public-info-viewer": ((GROUP, ALL_AUTHENTICATED), (GROUP, ALL_UNAUTHENTICATED)),
    "system:service-account-issuer-discovery": ((GROUP, "system:serviceaccounts"),),
}
"""Who has which role from the start; the others are for administrators to bind."""

_TEAMS: dict[DefaultRole, tuple[DefaultRole, ...]] = {"view": ("edit",), "edit": ("admin",), "admin": ()}
"""The default roles for people, and in which other one each is contained."""


def default_cluster_roles(kinds: Iterable[Kind[Any]] = (*ALL_KINDS, *REVIEWS)) -> list[ClusterRole]:
    """All ClusterRoles that are there from the start, with the rules that they aggregate."""
    kinds = tuple(kinds)
    roles = [_role(name, rules) for name, rules in _OF_PROGRAMS.items()]
    parts = [_role(f"system:aggregate-to-{each}", list(_team_rules(each, kinds)), (each,)) for each in _TEAMS]
    for each, containing in _TEAMS.items():
        role = _role(each, None, containing)
        role.aggregation_rule = AggregationRule([LabelSelector(match_labels=_aggregation_label(each))])
        role.rules = aggregated_rules(role, parts)
        parts.append(role)
    return sorted((*roles, *parts), key=lambda role: role.metadata.name)


def default_cluster_role_bindings() -> list[ClusterRoleBinding]:
    """All ClusterRoleBindings that are there from the start, each named after its role."""
    return [
        ClusterRoleBinding(
            metadata=_metadata(role),
            role_ref=RoleRef(RBAC, CLUSTER_ROLE, role),
            subjects=[Subject(kind, RBAC, name) for kind, name in subjects],
        )
        for role, subjects in _BOUND.items()
    ]


def _role(name: str, rules: list[PolicyRule] | None, aggregated_to: Iterable[DefaultRole] = ()) -> ClusterRole:
    meta = _metadata(name)
    for each in aggregated_to:
        meta.labels = {**(meta.labels or {}), **_aggregation_label(each)}
    return ClusterRole(metadata=meta, rules=rules)


def _metadata(name: str) -> ObjectMeta:
    return ObjectMeta(name=name, labels=dict(_LABELS), annotations={AUTOUPDATE: "true"})


def _aggregation_label(role: DefaultRole) -> dict[str, str]:
    return {f"{RBAC}/aggregate-to-{role}": "true"}


def _team_rules(role: DefaultRole, kinds: Iterable[Kind[Any]]) -> Iterator[PolicyRule]:
    """What a default role has beyond those that it contains, in one rule for each group and set of verbs."""
    resources: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for kind in kinds:
        for resource, verbs in _rights(role, kind):
            if verbs:
                resources.setdefault((kind.group, tuple(sorted(verbs))), []).append(resource)
    for (group, allowed), listed in resources.items():
        yield _rule(allowed, group, *listed)


def _rights(role: DefaultRole, kind: Kind[Any]) -> Iterator[tuple[str, set[str]]]:
    """The verbs that a default role adds on a kind and its subresources."""
    grants, verbs = kind.default_grants, set(kind.verbs)
    if grants.readers == role:
        yield kind.plural, verbs & set(_READ)
        if kind.has_status:
            yield f"{kind.plural}/status", set(_READ)
        yield from ((f"{kind.plural}/{each.name}", set(_READ)) for each in kind.subresources if "get" in each.verbs)
    if grants.writers == role:
        yield kind.plural, verbs - set(_READ) | set(grants.verbs)
    for each in kind.subresources:
        if each.writers == role:
            yield f"{kind.plural}/{each.name}", set(each.verbs) - set(_READ)
