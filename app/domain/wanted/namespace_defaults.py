"""What every namespace has from the start, as in Kubernetes: an account, and by what programs know the API."""

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.config_map import ConfigMap
from app.domain.kinds.service_account import ServiceAccount

DEFAULT_ACCOUNT = "default"
"""The account of programs that name none."""

ROOT_CERTIFICATES, CERTIFICATES_KEY = "kube-root-ca.crt", "ca.crt"
"""The ConfigMap and its key, in which programs look for the certificates that they trust the API by."""

_DESCRIPTION = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
    "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
}
"""The annotation as the controller of Kubernetes writes it, letter by letter: some compare it."""


def default_account(namespace: str) -> ServiceAccount:
    """The account of a namespace."""
    return ServiceAccount(metadata=ObjectMeta(name=DEFAULT_ACCOUNT, namespace=namespace))


def plan_root_certificates(namespace: str, pem: str, existing: ConfigMap | None) -> ConfigMap | None:
    """The ConfigMap with the certificates as it should be, None when it is so already.

    What others added to its metadata stays.
    """
    wanted = existing or ConfigMap(metadata=ObjectMeta(name=ROOT_CERTIFICATES, namespace=namespace))
    annotations = {**(wanted.metadata.annotations or {}), **_DESCRIPTION}
    data = {CERTIFICATES_KEY: pem}
    if (wanted.data, wanted.binary_data, wanted.metadata.annotations) == (data, None, annotations):
        return None
    wanted.data, wanted.binary_data, wanted.metadata.annotations = data, None, annotations
    return wanted
