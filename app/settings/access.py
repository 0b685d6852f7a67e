"""The settings of access: who is let in, and what their tokens say."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from app.oidc.configuration import Configuration, read_configuration
from app.oidc.flags import provider_of_flags
from app.settings.values import Words, issuers

SHORTEST_LIMIT_SECONDS = 3600
"""Clients may take this for granted, as it is the default lifetime of a token."""

WordsField = Annotated[Words, NoDecode, BeforeValidator(Words.parse)]


class TokenSettings(BaseSettings):
    """The settings of tokens of ServiceAccounts, which are the same in all processes."""

    service_account_issuer: Annotated[WordsField, AfterValidator(issuers)] = Field(
        Words(),
        description="Who issues tokens of ServiceAccounts, a URL; after a comma others whose tokens are accepted, too. "
        "By default https://kubernetes.default.svc.CLUSTER-DOMAIN",
    )
    api_audiences: WordsField = Field(
        Words(), description="Names of the API in tokens, separated by commas; by default those of the issuers"
    )
    service_account_max_token_expiration: int = Field(
        0,
        ge=0,
        description="Seconds for which a token of a ServiceAccount is valid at most, 3600 or more; 0 sets no limit",
    )
    signing_key_days: int = Field(
        90, ge=1, le=3650, description="Days after which another key signs the tokens of ServiceAccounts"
    )

    @model_validator(mode="after")
    def _limit_is_not_too_short(self) -> Self:
        if 0 < self.service_account_max_token_expiration < SHORTEST_LIMIT_SECONDS:
            raise ValueError(
                f"--service-account-max-token-expiration {self.service_account_max_token_expiration} is too short: "
                f"give {SHORTEST_LIMIT_SECONDS} or more, or 0 for no limit"
            )
        return self


class AuthenticationSettings(BaseSettings):
    """The settings of who is let in."""

    token_file: Path | None = Field(
        None,
        description='File of bearer tokens, one a line: token,user,uid,"group1,group2". Without it, and without any '
        "other way to say who one is, everybody who can connect may do everything",
    )
    client_ca_file: Path | None = Field(
        None,
        description="Certificates in PEM of the authorities whose clients are let in by their certificate: CN is the "
        "user, O a group; `serve` takes its own authority where it issues its own certificate",
    )
    oidc_issuer_url: str = Field("", description="URL of a provider of OpenID Connect, whose users are let in")
    oidc_client_id: str = Field("", description="Whom its tokens have to be meant for, their audience")
    oidc_username_claim: str = Field("sub", description="Claim of its tokens with the name of the user")
    oidc_username_prefix: str | None = Field(
        None,
        description="What stands before the name; by default the URL and #, but nothing before an email address; - for "
        "nothing",
    )
    oidc_groups_claim: str = Field("", description="Claim of its tokens with the groups of the user")
    oidc_groups_prefix: str = Field("", description="What stands before the name of each of these groups")
    oidc_required_claim: WordsField = Field(
        Words(), description="Claims that its tokens must have, claim=value, separated by commas"
    )
    oidc_signing_algs: WordsField = Field(
        Words(("RS256",)), description="How its tokens may be signed, such as RS256,ES256"
    )
    oidc_ca_file: Path | None = Field(
        None, description="Certificates in PEM that its certificate is checked with; by default those of the system"
    )
    authentication_config: Path | None = Field(
        None,
        description="File of providers, an AuthenticationConfiguration of Kubernetes, instead of the settings "
        "oidc-*; a process reads it again when it changes",
    )

    def read_providers(self) -> Configuration:
        """The providers, read from their files now.

        Raises:
            ValueError: Something is wrong with them.
        """
        if self.authentication_config is not None:
            return read_configuration(self.authentication_config)
        if not self.oidc_issuer_url:
            return Configuration()
        provider = provider_of_flags(
            issuer_url=self.oidc_issuer_url,
            client_id=self.oidc_client_id,
            authority=self._authority(),
            username_claim=self.oidc_username_claim,
            username_prefix=self.oidc_username_prefix,
            groups_claim=self.oidc_groups_claim,
            groups_prefix=self.oidc_groups_prefix,
            required_claims=dict(_assignment(word) for word in self.oidc_required_claim),
            algorithms=self.oidc_signing_algs.words,
        )
        return Configuration((provider,))

    @cached_property
    def providers(self) -> Configuration:
        """The providers as they were at the start."""
        return self.read_providers()

    @property
    def authenticates(self) -> bool:
        """Whether users have to say who they are."""
        return any((self.token_file, self.client_ca_file, self.oidc_issuer_url, self.authentication_config))

    def _authority(self) -> str:
        if self.oidc_ca_file is None:
            return ""
        try:
            return self.oidc_ca_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.oidc_ca_file} cannot be read as certificates in PEM: {error}") from error

    @model_validator(mode="after")
    def _providers_can_be_used(self) -> Self:
        names = [name for name in AuthenticationSettings.model_fields if name.startswith("oidc_")]
        given = [f"--{name.replace('_', '-')}" for name in names if self._is_set(name)]
        if given and self.authentication_config is not None:
            raise ValueError(f"{given[0]} and --authentication-config both name providers: give one of them")
        if given and not (self.oidc_issuer_url and self.oidc_client_id):
            raise ValueError(f"{given[0]} is given, so --oidc-issuer-url and --oidc-client-id are needed")
        self.providers  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self

    def _is_set(self, name: str) -> bool:
        """Whether a setting differs from its default: the processes of `serve` are given all of them."""
        return bool(getattr(self, name) != AuthenticationSettings.model_fields[name].default)


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"--oidc-required-claim {word!r} is not like claim=value")
    return name, value
