"""What becomes of a default role or binding that is there already, at the start of a newer version.

As in Kubernetes, what it lacks is added, and what an administrator added stays. The annotation
`rbac.authorization.kubernetes.io/autoupdate: "false"` keeps it as it is.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.role import AggregationRule, ClusterRole
from app.domain.kinds.role_binding import ClusterRoleBinding
from app.domain.rules.access.covering import missing
from app.domain.rules.access.rights import compiled

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
"""Annotation: "false" on a default role or binding keeps it as it is."""


def reconciled_role(stored: ClusterRole, wanted: ClusterRole) -> ClusterRole:
    """The role as it should be stored; equal to `stored` if nothing is lacking."""
    if _is_protected(stored.metadata):
        return stored
    metadata = _merged(stored.metadata, wanted.metadata)
    if wanted.aggregation_rule is not None:
        return replace(stored, metadata=metadata, aggregation_rule=_widened(stored, wanted.aggregation_rule))
    lacking = missing(compiled(stored.rules), wanted.rules or ())
    return replace(stored, metadata=metadata, rules=[*(stored.rules or ()), *lacking] if lacking else stored.rules)


def reconciled_binding(stored: ClusterRoleBinding, wanted: ClusterRoleBinding) -> ClusterRoleBinding | None:
    """The binding as it should be stored; None if it gives another role, and has to be made anew."""
    if _is_protected(stored.metadata):
        return stored
    if stored.role_ref != wanted.role_ref:
        return None
    subjects = stored.subjects or []
    lacking = [each for each in wanted.subjects or () if each not in subjects]
    metadata = _merged(stored.metadata, wanted.metadata)
    return replace(stored, metadata=metadata, subjects=[*subjects, *lacking] if lacking else stored.subjects)


def _is_protected(metadata: ObjectMeta) -> bool:
    return (metadata.annotations or {}).get(AUTOUPDATE) == "false"


def _merged(stored: ObjectMeta, wanted: ObjectMeta) -> ObjectMeta:
    """The metadata with the labels and annotations that it lacks."""
    return replace(
        stored,
        labels=_filled(stored.labels, wanted.labels),
        annotations=_filled(stored.annotations, wanted.annotations),
    )


def _filled(stored: Mapping[str, str] | None, wanted: Mapping[str, str] | None) -> dict[str, str] | None:
    return {**(wanted or {}), **(stored or {})} or None


def _widened(stored: ClusterRole, wanted: AggregationRule) -> AggregationRule:
    selectors = [] if stored.aggregation_rule is None else stored.aggregation_rule.cluster_role_selectors or []
    lacking = [each for each in wanted.cluster_role_selectors or () if each not in selectors]
    return AggregationRule([*selectors, *lacking])
