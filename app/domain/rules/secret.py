"""The rules of a Secret (ValidateSecret of the API server). No message shows a value."""

from collections.abc import Callable, Iterator, Mapping
from types import NoneType

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from app.domain.errors import Cause, immutable, invalid, required, too_long
from app.domain.kinds.secret import Secret
from app.domain.rules.cluster import Cluster
from app.domain.rules.keyed_data import MAX_DATA_BYTES, frozen_causes, key_causes
from app.domain.rules.strategy import Strategy

OPAQUE = "Opaque"
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
"""Annotation with the name of the ServiceAccount that a token belongs to."""

TLS = "kubernetes.io/tls"
_CERTIFICATE, _PRIVATE_KEY = "tls.crt", "tls.key"
_HIDDEN = "<not shown>"


class SecretStrategy(Strategy[Secret]):
    """A Secret has the keys that its type requires. The type cannot change."""

    def default(self, new: Secret) -> None:
        """Set the type Opaque if there is none, and move `stringData` into `data`."""
        new.type = new.type or OPAQUE
        if new.string_data:
            new.data = {**(new.data or {}), **{key: text.encode() for key, text in new.string_data.items()}}
        new.string_data = None

    def validate_create(self, new: Secret, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        data = new.data or {}
        causes = list(key_causes("data", data))
        if sum(map(len, data.values())) > MAX_DATA_BYTES:
            causes.append(too_long("data", MAX_DATA_BYTES))
        if new.type == SERVICE_ACCOUNT_TOKEN and not (new.metadata.annotations or {}).get(SERVICE_ACCOUNT_NAME):
            causes.append(
                required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]", "give the name of the ServiceAccount")
            )
        if new.type in _CONTENT_CAUSES:
            causes += _CONTENT_CAUSES[new.type](data)
        return causes

    def validate_update(self, new: Secret, old: Secret, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong or can no longer be changed."""
        causes = [immutable("type", new.type, old.type)] if new.type != old.type else []
        changed = ["data"] if new.data != old.data else []
        causes += frozen_causes(was=old.immutable, stays=new.immutable, changed=changed)
        return [*causes, *self.validate_create(new, cluster)]

    def warnings(self, new: Secret, old: Secret | None, cluster: Cluster) -> list[str]:
        """Point out a certificate that does not belong to the key."""
        del old, cluster
        problem = _pair_problem(new.data or {}) if new.type == TLS else None
        return [] if problem is None else [problem]


def _each_of(*keys: str) -> Callable[[Mapping[str, bytes]], Iterator[Cause]]:
    def causes(data: Mapping[str, bytes]) -> Iterator[Cause]:
        for key in keys:
            if key not in data:
                yield required(f"data[{key}]", f"a Secret of this type needs {' and '.join(keys)}")

    return causes


def _one_of(*keys: str) -> Callable[[Mapping[str, bytes]], Iterator[Cause]]:
    def causes(data: Mapping[str, bytes]) -> Iterator[Cause]:
        if not any(key in data for key in keys):
            for key in keys:
                yield required(f"data[{key}]", f"a Secret of this type needs {' or '.join(keys)}")

    return causes


def _not_empty(key: str) -> Callable[[Mapping[str, bytes]], Iterator[Cause]]:
    def causes(data: Mapping[str, bytes]) -> Iterator[Cause]:
        if not data.get(key):
            yield required(f"data[{key}]", f"a Secret of this type needs a value of {key} that is not empty")

    return causes


def _json_object(key: str) -> Callable[[Mapping[str, bytes]], Iterator[Cause]]:
    def causes(data: Mapping[str, bytes]) -> Iterator[Cause]:
        if key not in data:
            yield required(f"data[{key}]", f"a Secret of this type needs {key}")
        elif data[key] and not _is_json_object(data[key]):
            yield invalid(f"data[{key}]", _HIDDEN, "must be a JSON object")

    return causes


def _is_json_object(text: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict | NoneType)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


_CONTENT_CAUSES: Mapping[str, Callable[[Mapping[str, bytes]], Iterator[Cause]]] = {
    TLS: _each_of(_CERTIFICATE, _PRIVATE_KEY),
    "kubernetes.io/basic-auth": _one_of("username", "password"),
    "kubernetes.io/ssh-auth": _not_empty("ssh-privatekey"),
    "kubernetes.io/dockercfg": _json_object(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _json_object(".dockerconfigjson"),
}
"""The check of the data, by type. Data of other types is not checked."""


def _pair_problem(data: Mapping[str, bytes]) -> str | None:
    """Why a certificate and a key cannot be used together (tls.X509KeyPair); None if they can."""
    try:
        certificate = load_pem_x509_certificates(data[_CERTIFICATE])[0].public_key()
    except (KeyError, ValueError, UnsupportedAlgorithm):
        return f"{_CERTIFICATE} is no certificate in PEM, so this Secret cannot be used for TLS"
    try:
        key = load_pem_private_key(data[_PRIVATE_KEY], None).public_key()
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm):
        return f"{_PRIVATE_KEY} is no private key in PEM without a password, so this Secret cannot be used for TLS"
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if certificate.public_bytes(*form) == key.public_bytes(*form):
        return None
    return f"{_PRIVATE_KEY} is no key of the first certificate in {_CERTIFICATE}, so this Secret cannot be used for TLS"
