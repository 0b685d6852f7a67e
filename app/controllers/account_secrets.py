"""Secrets of type kubernetes.io/service-account-token get a token of their ServiceAccount, and go with it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from app.cluster.signing_keys import SigningKeys
from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import deletion, update, write_each
from app.credentials.json_web_tokens import WrongTokenError, unverified
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import is_deleting, mentions
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.secret import Secret
from app.domain.rules.cluster import Cluster
from app.domain.rules.secret import SERVICE_ACCOUNT_TOKEN
from app.domain.rules.service_account_tokens import Reference, legacy_claims
from app.domain.timestamps import parse_time
from app.domain.wanted.account_secrets import TOKEN_KEY, account_of, belongs_to, filled
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write

_PATIENCE = timedelta(seconds=10)
"""A Secret may be created a moment before its ServiceAccount, as from one file."""


class AccountSecrets(Controller[ObjectKey]):
    """Fills them. A token in a Secret does not expire: it ends with the Secret, the account, or the key that signed it.

    Keys are namespace and name of a Secret.
    """

    name = "account-secrets"
    kinds = (SECRET.key, SERVICE_ACCOUNT.key)
    resync = 300.0

    def __init__(
        self,
        writer: Writer,
        mirror: Mirror,
        cluster: Callable[[], Cluster],
        keys: SigningKeys,
        root_certificates: Callable[[], str],
    ) -> None:
        """Prepare; `root_certificates` answers them in PEM as they are now, or "" when none are known."""
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._keys = keys
        self._root_certificates = root_certificates

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Secrets for tokens that changed, and those of namespaces in which an account came or went."""
        for change in changes:
            entry = change.entry
            if entry.kind == SECRET.key and change.type != "DELETED" and mentions(entry.wire, SERVICE_ACCOUNT_TOKEN):
                yield entry.namespace, entry.name
            elif entry.kind == SERVICE_ACCOUNT.key and change.type != "MODIFIED":
                yield from self._secrets(entry.namespace)

    def all_keys(self) -> Iterable[ObjectKey]:
        """All Secrets for tokens."""
        return self._secrets(None)

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Secret."""
        return self._mirror.get(SECRET.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Fill what lacks a token, and delete what has no account."""
        await self._mirror.fresh()
        await self._keys.start()
        failures: dict[ObjectKey, RetryError] = {}
        writes: dict[ObjectKey, Write] = {}
        for key in keys:
            try:
                write = await self._write(key, lease)
            except RetryError as error:
                failures[key] = error
            else:
                if write is not None:
                    writes[key] = write
        return failures | await write_each(self._writer, writes)

    async def _write(self, key: ObjectKey, lease: LeaseGuard) -> Write | None:
        entry = self.object_of(key)
        if entry is None or is_deleting(entry.wire):
            return None
        secret = decode_object(SECRET, entry.wire)
        name, cluster = account_of(secret), self._cluster()
        if not name or secret.immutable:
            return None
        found = self._mirror.get(SERVICE_ACCOUNT.key, entry.namespace, name)
        account = None if found is None else Reference(found.name, found.uid)
        if account is None or not belongs_to(secret, account):
            _wait_for_account(secret, cluster)
            return deletion(SECRET, entry, cluster, lease)
        token = await self._token(secret, account)
        if not filled(secret, account, token, self._root_certificates()):
            return None
        return update(SECRET, secret, entry.revision, cluster, lease)

    async def _token(self, secret: Secret, account: Reference) -> str:
        """The token that a Secret holds, or another one if it holds none that is good."""
        claims = legacy_claims(secret.metadata.namespace or "", account, secret.metadata.name)
        held = (secret.data or {}).get(TOKEN_KEY, b"").decode("ascii", "replace")
        claim = unverified(held)
        if claim is not None:
            try:
                if await self._keys.verified(held, claim.key_id) == claims:
                    return held
            except WrongTokenError:
                pass  # of a key that was revoked, or somebody else's
        return await self._keys.sign(dict(claims))

    def _secrets(self, namespace: str | None) -> list[ObjectKey]:
        entries = self._mirror.list(SECRET.key, namespace)
        return [(entry.namespace, entry.name) for entry in entries if mentions(entry.wire, SERVICE_ACCOUNT_TOKEN)]


def _wait_for_account(secret: Secret, cluster: Cluster) -> None:
    """Give an account some time to come.

    Raises:
        Requeue: The Secret was created a moment ago.
    """
    created = secret.metadata.creation_timestamp or cluster.now
    left = (parse_time(created) + _PATIENCE - parse_time(cluster.now)).total_seconds()
    if left > 0:
        raise Requeue("its ServiceAccount is not there yet", left)
