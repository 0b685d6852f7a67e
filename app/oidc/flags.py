"""One provider as the flags `--oidc-*` of kube-apiserver describe it."""

from collections.abc import Mapping, Sequence

from app.oidc.configuration import ALGORITHMS, ConfigurationError, Provider, check_authority, check_url
from app.oidc.expressions import ClaimRule, Text

_EMAIL = "email"
_NO_PREFIX = "-"


def provider_of_flags(
    *,
    issuer_url: str,
    client_id: str,
    authority: str,
    username_claim: str,
    username_prefix: str | None,
    groups_claim: str,
    groups_prefix: str,
    required_claims: Mapping[str, str],
    algorithms: Sequence[str],
) -> Provider:
    """The provider that flags describe.

    A user name has the issuer before it, `https://issuer#`, unless it is an email address or another prefix is given;
    `-` is none. So nobody becomes `system:admin` by the name that they have at the provider.

    Raises:
        ConfigurationError: A value is wrong.
    """
    check_url("--oidc-issuer-url", issuer_url)
    check_authority("--oidc-ca-file", authority)
    if unknown := [each for each in algorithms if each not in ALGORITHMS]:
        raise ConfigurationError(f"--oidc-signing-algs {unknown[0]} is not one of {', '.join(ALGORITHMS)}")
    if username_prefix is None:
        username_prefix = "" if username_claim == _EMAIL else f"{issuer_url}#"
    prefix = "" if username_prefix == _NO_PREFIX else username_prefix
    return Provider(
        issuer=issuer_url,
        discovery_url=f"{issuer_url.rstrip('/')}/.well-known/openid-configuration",
        authority=authority,
        audiences=(client_id,),
        algorithms=tuple(algorithms),
        username=Text.of_claim(username_claim, prefix),
        groups=Text.of_claim(groups_claim, groups_prefix) if groups_claim else None,
        claim_rules=tuple(ClaimRule((claim,), value) for claim, value in required_claims.items()),
    )
