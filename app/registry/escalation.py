"""Nobody gives away rights that they do not have: neither in a role, nor by binding somebody to one.

The rules are those of the API server (the policy-based storage of rbac.authorization.k8s.io).
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from app.cluster.admission_policies import AdmissionPolicies
from app.cluster.authorizer import Authorizer
from app.domain.declarations.kind import Kind
from app.domain.declarations.roles import CLUSTER_ROLE, ROLE
from app.domain.documents.objects import KubeObject
from app.domain.errors import Forbidden
from app.domain.kinds.role import ClusterRole, PolicyRule, Role
from app.domain.kinds.role_binding import ClusterRoleBinding, RoleBinding
from app.domain.rules.access.covering import missing, refusal_text
from app.domain.rules.access.requests import ResourceRequest
from app.domain.rules.access.rights import ALL
from app.domain.rules.role import RBAC
from app.domain.user import MASTERS
from app.registry.operations import Operation
from app.registry.outcomes import not_found

_EVERY_RESOURCE = PolicyRule(verbs=[ALL], api_groups=[ALL], resources=[ALL])
"""What an aggregation can gather at any time."""

_PLURALS = {ROLE.name: ROLE.plural, CLUSTER_ROLE.name: CLUSTER_ROLE.plural}


def refuse_escalation(operation: Operation, authorizer: Authorizer, policies: AdmissionPolicies) -> None:
    """Check a write of a role or a binding.

    Raises:
        Forbidden: It would give rights that the user does not have.
        NotFound: A binding names a role that is not there, which nobody can compare with anything.
    """
    del policies
    kind, new, old = operation.target.kind, operation.new, operation.old
    if kind.group != RBAC or new is None or MASTERS in operation.user.groups:
        return
    if old is not None and _only_waits_for_its_end(new, old):
        return
    if isinstance(new, Role | ClusterRole):
        _check_role(operation, new, authorizer)
    elif isinstance(new, RoleBinding | ClusterRoleBinding):
        _check_binding(operation, new, authorizer)


def _check_role(operation: Operation, role: Role | ClusterRole, authorizer: Authorizer) -> None:
    target, user = operation.target, operation.user
    escalate = ResourceRequest("escalate", RBAC, target.kind.plural, namespace=target.scope, name=target.name)
    if authorizer.allows(user, escalate):
        return
    _refuse_missing(operation, role, role.rules or (), authorizer)
    if not (_aggregates(role) or _aggregates(operation.old)):
        return
    held = authorizer.bindings.rights_of(user).in_force(target.scope)
    if missing(held, [_EVERY_RESOURCE]):
        raise _refused(target.kind, role.metadata.name, "must have cluster-admin privileges to use the aggregationRule")


def _check_binding(operation: Operation, binding: RoleBinding | ClusterRoleBinding, authorizer: Authorizer) -> None:
    target, user, role = operation.target, operation.user, binding.role_ref
    resource = _PLURALS.get(role.kind)
    if resource is not None:
        bind = ResourceRequest("bind", role.api_group, resource, namespace=target.scope, name=role.name)
        if authorizer.allows(user, bind):
            return
    rules = authorizer.bindings.rules_of(role, target.scope) if resource is not None else None
    if rules is None:
        raise not_found(target.kind, role.name)
    _refuse_missing(operation, binding, [each.rule for each in rules], authorizer)


def _refuse_missing(
    operation: Operation, obj: KubeObject, wanted: Iterable[PolicyRule], authorizer: Authorizer
) -> None:
    user, target = operation.user, operation.target
    lacking = missing(authorizer.bindings.rights_of(user).in_force(target.scope), wanted)
    if lacking:
        raise _refused(target.kind, obj.metadata.name, refusal_text(user, lacking))


def _aggregates(role: KubeObject | None) -> bool:
    rule = role.aggregation_rule if isinstance(role, ClusterRole) else None
    return rule is not None and bool(rule.cluster_role_selectors)


def _only_waits_for_its_end(new: KubeObject, old: KubeObject) -> bool:
    """Whether nothing changes but finalizers and owners, so that an object can always be deleted."""
    same = replace(
        new.metadata,
        finalizers=old.metadata.finalizers,
        owner_references=old.metadata.owner_references,
        managed_fields=old.metadata.managed_fields,
        resource_version=old.metadata.resource_version,
    )
    return replace(new, metadata=same) == old


def _refused(kind: Kind[Any], name: str, why: str) -> Forbidden:
    return Forbidden(f'{kind.key} "{name}" is forbidden: {why}', group=kind.group, kind=kind.plural, name=name)
