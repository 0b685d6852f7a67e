"""What every namespace has from the start. When it is deleted, it is created again."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.controller import Controller
from app.controllers.own_writes import conflict, creation, update, write_in_turn
from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.rules.cluster import Cluster
from app.domain.wanted.namespace_defaults import (
    DEFAULT_ACCOUNT,
    ROOT_CERTIFICATES,
    default_account,
    plan_root_certificates,
)
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, NamespaceMissing, NamespaceTerminating, NameTaken, Write

_SETTLED = (Committed, NameTaken, NamespaceMissing, NamespaceTerminating)
"""Outcomes after which nothing is left to do: it is there, or need not be there any more."""


class NamespaceDefaults(Controller[str]):
    """Gives each namespace that is not being deleted its ServiceAccount `default`, and the API's certificates.

    Keys are names of namespaces.
    """

    name = "namespace-defaults"
    kinds = (NAMESPACE.key, SERVICE_ACCOUNT.key, CONFIG_MAP.key)
    resync = 60.0

    def __init__(
        self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster], root_certificates: Callable[[], str]
    ) -> None:
        """Prepare.

        Args:
            writer: Stores.
            mirror: Shows what is stored.
            cluster: The ranges and pools of the moment.
            root_certificates: Answers them in PEM as they are now, or "" when none are known, as without TLS. Programs
                look for the ConfigMap in any case.
        """
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._root_certificates = root_certificates

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """Namespaces that are new, or in which one of these objects was changed."""
        for change in changes:
            entry = change.entry
            if entry.kind == NAMESPACE.key and change.type == "ADDED":
                yield entry.name
            elif (entry.kind, entry.name) in (
                (SERVICE_ACCOUNT.key, DEFAULT_ACCOUNT),
                (CONFIG_MAP.key, ROOT_CERTIFICATES),
            ):
                yield entry.namespace

    def all_keys(self) -> Iterable[str]:
        """Every namespace."""
        return [entry.name for entry in self._mirror.list(NAMESPACE.key, None)]

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Make what is missing, and bring back what was changed."""
        await self._mirror.fresh()
        planned = [(name, write) for name in keys for write in self._writes(name, lease)]
        outcomes = await write_in_turn(self._writer, [write for _, write in planned])
        return {
            name: conflict(outcome)
            for (name, _), outcome in zip(planned, outcomes, strict=True)
            if not isinstance(outcome, _SETTLED)
        }

    def _writes(self, namespace: str, lease: LeaseGuard) -> Iterable[Write]:
        entry = self._mirror.get(NAMESPACE.key, "", namespace)
        if entry is None or decode_object(NAMESPACE, entry.wire).metadata.deletion_timestamp is not None:
            return
        cluster = self._cluster()
        if self._mirror.get(SERVICE_ACCOUNT.key, namespace, DEFAULT_ACCOUNT) is None:
            yield creation(SERVICE_ACCOUNT, default_account(namespace), cluster, lease)
        stored = self._mirror.get(CONFIG_MAP.key, namespace, ROOT_CERTIFICATES)
        wanted = plan_root_certificates(
            namespace, self._root_certificates(), None if stored is None else decode_object(CONFIG_MAP, stored.wire)
        )
        if wanted is not None and stored is None:
            yield creation(CONFIG_MAP, wanted, cluster, lease)
        elif wanted is not None and stored is not None:
            yield update(CONFIG_MAP, wanted, stored.revision, cluster, lease)
