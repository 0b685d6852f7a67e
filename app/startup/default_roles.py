"""The default roles and bindings: made at the first start, and completed at the start of a newer version."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import structlog

from app.domain.declarations.default_roles import default_cluster_role_bindings, default_cluster_roles
from app.domain.declarations.kind import Kind
from app.domain.declarations.role_bindings import CLUSTER_ROLE_BINDING
from app.domain.declarations.roles import CLUSTER_ROLE
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import KubeObject
from app.domain.errors import AlreadyExists, Conflict, NotFound
from app.domain.rules.access.reconciling import reconciled_binding, reconciled_role
from app.domain.user import ITSELF
from app.registry.options import DeleteOptions, WriteOptions
from app.registry.registry import Registry
from app.registry.target import Target

_BY_US = WriteOptions(field_manager="fairlead", user=ITSELF)

_log = structlog.stdlib.get_logger(__name__)

Done = Literal["there", "created", "completed"]
Reconciled = Callable[[Any, Any], KubeObject | None]


async def make_default_roles(registry: Registry) -> None:
    """Make the default roles and bindings, and add what those that are there lack.

    Any number of processes may do so at once.

    Raises:
        ApiError: The store cannot be reached.
    """
    roles = (_make(registry, CLUSTER_ROLE, role, reconciled_role) for role in default_cluster_roles())
    bindings = (
        _make(registry, CLUSTER_ROLE_BINDING, binding, reconciled_binding)
        for binding in default_cluster_role_bindings()
    )
    done = Counter(await asyncio.gather(*roles, *bindings))
    if done.keys() - {"there"}:
        _log.debug("default roles and bindings", created=done["created"], completed=done["completed"])


async def _make(registry: Registry, kind: Kind[Any], wanted: KubeObject, reconciled: Reconciled) -> Done:
    """Make one object, or add what it lacks; answers what was done."""
    target = Target(kind, name=wanted.metadata.name)
    while True:
        try:
            stored = decode_object(kind, (await registry.get(target)).wire)
        except NotFound:
            try:
                await registry.create(Target(kind), wanted, _BY_US)
            except AlreadyExists:
                continue  # another process was faster
            return "created"
        try:
            done = await _complete(registry, target, stored, reconciled(stored, wanted))
            if done is not None:
                return done
        except (Conflict, NotFound):
            continue  # another process changed it at the same time: look again


async def _complete(registry: Registry, target: Target, stored: KubeObject, wanted: KubeObject | None) -> Done | None:
    """Store what a default object should be; None if it is gone now and has to be made."""
    if wanted is None:
        await registry.delete(target, DeleteOptions(uid=stored.metadata.uid, user=ITSELF))
        return None
    if wanted == stored:
        return "there"
    await registry.update(target, wanted, _BY_US)
    return "completed"
