"""The providers whose tokens are accepted, from a file like Kubernetes' AuthenticationConfiguration (KEP-3331)."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from app.credentials.yaml_files import read_yaml
from app.oidc.expressions import ClaimRule, ExpressionError, Text, UserRule, claim_rule, text_of, user_rule

T = TypeVar("T")

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")
"""How a provider may sign: everything of Kubernetes', where nobody but the provider has the key."""

_VERSIONS = tuple(f"apiserver.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_LARGEST_FILE = 1024 * 1024
_MOST_PROVIDERS = 64


class ConfigurationError(ValueError):
    """A configuration cannot be used. The message names the field and says what would be right."""


class _Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of the file; a field that is not known is refused."""


class _Issuer(_Strict):
    url: str
    audiences: list[str]
    discovery_url: str = field(default="", name="discoveryURL")
    certificate_authority: str = ""
    audience_match_policy: Literal["", "MatchAny"] = ""


class _Mapping(_Strict):
    claim: str = ""
    prefix: str | None = None
    expression: str = ""


class _Extra(_Strict):
    key: str
    value_expression: str


class _Mappings(_Strict):
    username: _Mapping
    groups: _Mapping = field(default_factory=_Mapping)
    uid: _Mapping = field(default_factory=_Mapping)
    extra: list[_Extra] = field(default_factory=list)


class _ClaimRule(_Strict):
    claim: str = ""
    required_value: str = ""
    expression: str = ""
    message: str = ""


class _UserRule(_Strict):
    expression: str
    message: str = ""


class _Jwt(_Strict):
    issuer: _Issuer
    claim_mappings: _Mappings
    claim_validation_rules: list[_ClaimRule] = field(default_factory=list)
    user_validation_rules: list[_UserRule] = field(default_factory=list)


class _Condition(_Strict):
    path: str


class _Anonymous(_Strict):
    enabled: bool
    conditions: list[_Condition] | None = None


class _File(_Strict):
    api_version: str
    kind: Literal["AuthenticationConfiguration"]
    jwt: list[_Jwt] = field(default_factory=list)
    anonymous: _Anonymous | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, and what its tokens mean here.

    Attributes:
        issuer: Its name, a URL, as tokens have it.
        discovery_url: Where it describes itself.
        authority: Certificates in PEM that its certificate is checked with, "" for those of the system.
        audiences: A token has to be meant for one of these.
        algorithms: How a token may be signed.
        username, groups, uid: What the user is made from, None for nothing.
        extra: The same by the keys of `User.extra`.
        claim_rules: What the claims have to fulfil.
        user_rules: What the user has to fulfil.
    """

    issuer: str
    discovery_url: str
    authority: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    username: Text
    groups: Text | None = None
    uid: Text | None = None
    extra: tuple[tuple[str, Text], ...] = ()
    claim_rules: tuple[ClaimRule, ...] = ()
    user_rules: tuple[UserRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says.

    Attributes:
        providers: By their issuers.
        anonymous: The paths on which somebody without a credential is let in as system:anonymous; None where the file
            does not say, for every path.
    """

    providers: tuple[Provider, ...] = ()
    anonymous: frozenset[str] | None = None


def read_configuration(path: Path) -> Configuration:
    """Read a file.

    Raises:
        ConfigurationError: It cannot be read, can be changed by others than its owner, or is wrong.
    """
    try:
        found = read_yaml(path, _LARGEST_FILE, _File)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    try:
        return _configuration(found)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _configuration(found: _File) -> Configuration:
    if found.api_version not in _VERSIONS:
        raise ConfigurationError(f"apiVersion: must be one of {', '.join(_VERSIONS)}")
    if len(found.jwt) > _MOST_PROVIDERS:
        raise ConfigurationError(f"jwt: has more than {_MOST_PROVIDERS} items")
    providers = tuple(_provider(f"jwt[{number}]", each) for number, each in enumerate(found.jwt))
    for attribute in ("issuer", "discovery_url"):
        if len({getattr(each, attribute) for each in providers}) < len(providers):
            raise ConfigurationError("jwt: two items have the same issuer.url or issuer.discoveryURL")
    return Configuration(providers, _anonymous(found.anonymous))


def _anonymous(found: _Anonymous | None) -> frozenset[str] | None:
    if found is None:
        return None
    if not found.enabled and found.conditions:
        raise ConfigurationError("anonymous.conditions: must be left out where anonymous.enabled is false")
    if found.enabled and not found.conditions:
        return None
    return frozenset(each.path for each in found.conditions or ())


def _provider(where: str, found: _Jwt) -> Provider:
    issuer, mappings = found.issuer, found.claim_mappings
    discovery = issuer.discovery_url or f"{issuer.url.rstrip('/')}/.well-known/openid-configuration"
    check_url(f"{where}.issuer.url", issuer.url)
    check_url(f"{where}.issuer.discoveryURL", discovery)
    check_authority(f"{where}.issuer.certificateAuthority", issuer.certificate_authority)
    _check_audiences(f"{where}.issuer", issuer)
    username = _mapped(f"{where}.claimMappings.username", mappings.username)
    if username is None:
        raise ConfigurationError(f"{where}.claimMappings.username: give claim and prefix, or expression")
    return Provider(
        issuer=issuer.url,
        discovery_url=discovery,
        authority=issuer.certificate_authority,
        audiences=tuple(issuer.audiences),
        algorithms=ALGORITHMS,
        username=username,
        groups=_mapped(f"{where}.claimMappings.groups", mappings.groups),
        uid=_uid(f"{where}.claimMappings.uid", mappings.uid),
        extra=_extra(f"{where}.claimMappings.extra", mappings.extra),
        claim_rules=tuple(
            _claim_rule(f"{where}.claimValidationRules[{number}]", rule)
            for number, rule in enumerate(found.claim_validation_rules)
        ),
        user_rules=tuple(
            _understood(f"{where}.userValidationRules[{number}].expression", user_rule, rule.expression)
            for number, rule in enumerate(found.user_validation_rules)
        ),
    )


def _check_audiences(where: str, issuer: _Issuer) -> None:
    if not issuer.audiences or "" in issuer.audiences:
        raise ConfigurationError(f"{where}.audiences: name at least one, and none that is empty")
    if len(issuer.audiences) > 1 and not issuer.audience_match_policy:
        raise ConfigurationError(f"{where}.audienceMatchPolicy: must be MatchAny where there are several audiences")


def check_url(where: str, url: str) -> None:
    """Check the URL of a provider: HTTPS, but for this machine.

    Raises:
        ConfigurationError: It is another one.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    if parts.scheme == "http" and _is_loopback(host):
        return
    if parts.scheme != "https" or not host:
        raise ConfigurationError(f"{where}: must be a URL that begins with https://")
    if parts.username or parts.query or parts.fragment:
        raise ConfigurationError(f"{where}: must have no user, query or fragment")


def check_authority(where: str, pem: str) -> None:
    """Check certificates in PEM, if there are any.

    Raises:
        ConfigurationError: They cannot be used.
    """
    try:
        tls_context(pem)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(f"{where}: must hold certificates in PEM, which begins with -----BEGIN") from error


def tls_context(authority: str) -> ssl.SSLContext:
    """How a provider's certificate is checked: with these certificates, or with the system's where there are none."""
    return ssl.create_default_context(cadata=authority or None)


def _mapped(where: str, found: _Mapping) -> Text | None:
    if found.expression:
        if found.claim or found.prefix is not None:
            raise ConfigurationError(f"{where}: expression stands alone, without claim and prefix")
        return _understood(f"{where}.expression", text_of, found.expression)
    if not found.claim:
        if found.prefix is not None:
            raise ConfigurationError(f"{where}.claim: must be given with prefix")
        return None
    if found.prefix is None:
        raise ConfigurationError(f'{where}.prefix: must be given with claim; "" for none')
    return Text.of_claim(found.claim, found.prefix)


def _uid(where: str, found: _Mapping) -> Text | None:
    if found.prefix is not None:
        raise ConfigurationError(f"{where}.prefix: a uid has none")
    return _mapped(where, _Mapping(found.claim, "" if found.claim else None, found.expression))


def _extra(where: str, found: Sequence[_Extra]) -> tuple[tuple[str, Text], ...]:
    if len({each.key for each in found}) < len(found):
        raise ConfigurationError(f"{where}: two items have the same key")
    for number, each in enumerate(found):
        domain, slash, path = each.key.partition("/")
        if each.key != each.key.lower() or not domain or not slash or not path:
            raise ConfigurationError(
                f"{where}[{number}].key: must be a domain and a path in lower case, such as example.com/team"
            )
        if domain.endswith(("kubernetes.io", "k8s.io")):
            raise ConfigurationError(f"{where}[{number}].key: kubernetes.io and k8s.io are Kubernetes' own")
    return tuple(
        (each.key, _understood(f"{where}[{number}].valueExpression", text_of, each.value_expression))
        for number, each in enumerate(found)
    )


def _claim_rule(where: str, found: _ClaimRule) -> ClaimRule:
    if bool(found.claim) is bool(found.expression):
        raise ConfigurationError(f"{where}: give either claim and requiredValue, or expression")
    if found.expression:
        return _understood(f"{where}.expression", claim_rule, found.expression)
    return ClaimRule((found.claim,), found.required_value)


def _understood(where: str, read: Callable[[str], T], expression: str) -> T:
    try:
        return read(expression)
    except ExpressionError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
