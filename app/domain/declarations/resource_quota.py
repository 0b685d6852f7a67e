"""The declaration of ResourceQuota."""

from collections.abc import Iterable
from typing import Any

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import SEEN, Column, Kind
from app.domain.kinds.resource_quota import ResourceQuota
from app.domain.rules.quota_resources import UNCOUNTED
from app.domain.rules.resource_quota import ResourceQuotaStrategy

_LIMITS = "limits."
_MADE_BY_CLIENTS = {"create", "list", "watch", "delete"}


def _shown(quota: ResourceQuota, *, limits: bool) -> str:
    """What is used of the resources that are limits of containers, or of all others."""
    hard, used = quota.status.hard or {}, quota.status.used or {}
    names = sorted(name for name in hard if name.startswith(_LIMITS) is limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)


RESOURCE_QUOTA = Kind(
    group="",
    version="v1",
    name="ResourceQuota",
    plural="resourcequotas",
    singular="resourcequota",
    namespaced=True,
    model=ResourceQuota,
    schema="io.k8s.api.core.v1.ResourceQuota",
    columns=(
        NAME,
        Column(
            "Request",
            lambda quota, _now: _shown(quota, limits=False),
            description="What is used of each resource, and the most that may be.",
        ),
        Column(
            "Limit",
            lambda quota, _now: _shown(quota, limits=True),
            description="The same for the limits of containers.",
        ),
        AGE,
    ),
    strategy=ResourceQuotaStrategy(),
    short_names=("quota",),
    has_status=True,
    delete_returns_object=True,
    grants=SEEN,
)


def countable(kinds: Iterable[Kind[Any]]) -> frozenset[str]:
    """Keys of the kinds whose objects quotas count: those that live in namespaces and that clients make and delete."""
    return frozenset(
        kind.key
        for kind in kinds
        if kind.namespaced and set(kind.verbs) >= _MADE_BY_CLIENTS and kind.key not in UNCOUNTED
    )
