"""Who is let in by an API process, as its settings say."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.api.access.issuer_documents import KEY_SET_PATH
from app.api.access.provider_tokens import ProviderTokens
from app.api.access.service_account_tokens import ServiceAccountTokens
from app.audit.log import AuditLog
from app.audit.policy_file import CurrentPolicy
from app.cluster.signing_keys import SigningKeys
from app.credentials.tokens import TokenUsers
from app.main.parts import Parts
from app.main.reloading import audit_policy, identity_providers, tokens
from app.oidc.providers import Providers
from app.reloading import Source
from app.settings.api import ApiSettings
from app.store.signing_keys import SigningKeyStore


@dataclass(frozen=True, slots=True)
class Identities:
    """What a process knows of users from files, which are read again when they change.

    Attributes:
        users: The users of the token file, None where there is none.
        providers: The providers whose users are let in.
        policy: What is written of their requests.
    """

    users: TokenUsers | None
    providers: Providers
    policy: CurrentPolicy

    @classmethod
    def of(cls, settings: ApiSettings) -> "Identities":
        """What the files say now."""
        users = TokenUsers(settings.tokens) if settings.token_file else None
        return cls(users, Providers(settings.providers), CurrentPolicy(settings.audit_policy))

    def sources(self, settings: ApiSettings) -> Iterator[Source]:
        """What is read again while the process runs."""
        yield from tokens(settings.token_file, self.users)
        yield from identity_providers(settings, self.providers)
        yield from audit_policy(settings, self.policy)


@asynccontextmanager
async def admitting(
    settings: ApiSettings, identities: Identities, parts: Parts, address: tuple[str, int]
) -> AsyncIterator[Access]:
    """Who is let in; while entered, the keys of tokens are followed, and the audit log is written.

    Args:
        settings: Of the process.
        identities: What is known of users from files.
        parts: Know the ServiceAccounts.
        address: Address and port at which others reach the API.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    keys = SigningKeys(SigningKeyStore(parts.database))
    await keys.start()
    tasks = [asyncio.create_task(keys.follow(), name="signing keys")]
    destination = settings.audit_destination()
    log = None if destination is None else AuditLog(destination, settings.audit_log_mode)
    if log is not None:
        tasks.append(asyncio.create_task(log.run(), name="audit log"))
    try:
        yield _access(settings, identities, keys, parts, address, log)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await identities.providers.close()


def _access(
    settings: ApiSettings,
    identities: Identities,
    keys: SigningKeys,
    parts: Parts,
    address: tuple[str, int],
    log: AuditLog | None,
) -> Access:
    accounts = ServiceAccountTokens(
        keys, parts.mirror, settings.issuers, settings.audiences, settings.service_account_max_token_expiration
    )
    host, port = address
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    providers = identities.providers
    return Access(
        authentication=Authentication(
            identities.users, (accounts, ProviderTokens(providers, settings.audiences)), settings.audiences
        ),
        required=settings.authenticates,
        anonymous=lambda: providers.anonymous,
        accounts=accounts,
        key_set_url=f"{'http' if settings.tls is None else 'https'}://{place}{KEY_SET_PATH}",
        audit_log=log,
        audit_policy=lambda: identities.policy.current,
    )
