"""Everything of access that an application is put together from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.api.access.authentication import Authentication
from app.api.access.failures import Failures
from app.api.access.service_account_tokens import ServiceAccountTokens
from app.audit.log import AuditLog
from app.audit.policy_file import DEFAULT_POLICY
from app.domain.rules.audit_policy import AuditPolicy


@dataclass(frozen=True, slots=True)
class Access:
    """Who is let in.

    Attributes:
        authentication: Knows who has which credential.
        required: Whether users have to say who they are; if not, everybody on loopback is in system:masters.
        anonymous: The paths on which somebody without a credential is let in as system:anonymous, with the rights of
            that user; None for every path.
        accounts: Issues tokens of ServiceAccounts; None where they are not issued.
        key_set_url: Where others find the public keys of these tokens.
        failures: Slow down whoever sends wrong credentials.
        audit_log: Where requests are written; None for nowhere.
        audit_policy: Tells what is written of them.
    """

    authentication: Authentication = field(default_factory=Authentication)
    required: bool = False
    anonymous: Callable[[], frozenset[str] | None] = lambda: None
    accounts: ServiceAccountTokens | None = None
    key_set_url: str = ""
    failures: Failures = field(default_factory=Failures)
    audit_log: AuditLog | None = None
    audit_policy: Callable[[], AuditPolicy] = lambda: DEFAULT_POLICY
