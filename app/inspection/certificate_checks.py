"""Whether certificates are valid, for how long, and for the names by which clients know the server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from app.inspection.finding import Finding
from app.settings.serve import ServeSettings
from app.supervisor.listening import reachable

_SOON = timedelta(days=14)


def certificate_findings(settings: ServeSettings) -> Iterator[Finding]:
    """What is found about the certificate that the API shows, and the authority of its clients."""
    if settings.needs_own_certificate:
        yield from _own(settings.data_dir / "tls" / "server.pem")
        return
    if settings.tls_cert_file is None:
        yield Finding("ok", "tls", "plain HTTP, as configured")
    else:
        yield from _expiry(settings.tls_cert_file, "renew it; the server reads it again by itself")
        yield from _names(settings.tls_cert_file, settings.advertise_address or reachable(settings.host))
    if settings.client_ca_file is not None:
        yield from _expiry(settings.client_ca_file, "clients with certificates of it are refused afterwards")


def _own(path: Path) -> Iterator[Finding]:
    if path.exists():
        yield from _expiry(path, "a running server renews it: start it, or see its log for why it does not")
    else:
        yield Finding("ok", "tls", "the first start issues a certificate")


def _expiry(path: Path, advice: str) -> Iterator[Finding]:
    """Of each certificate in a file."""
    now = datetime.now(UTC)
    for certificate in x509.load_pem_x509_certificates(path.read_bytes()):
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        told = f"{path}: {certificate.subject.rfc4514_string() or 'the certificate'} is valid until {end:%Y-%m-%d}"
        if now >= end:
            yield Finding("problem", "tls", told.replace("is valid until", "expired on"), advice)
        elif now < begin:
            yield Finding(
                "problem", "tls", f"{path} is valid only from {begin:%Y-%m-%d %H:%M} UTC on", "check the clock"
            )
        elif now >= end - _SOON:
            yield Finding("warning", "tls", told, advice)
        else:
            yield Finding("ok", "tls", told)


def _names(path: Path, address: str) -> Iterator[Finding]:
    """Whether the certificate is for the address at which the server says that it is."""
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield Finding("problem", "tls", f"{path} names no server", "issue one with a subjectAltName")
        return
    if ip_address(address) not in names.get_values_for_type(x509.IPAddress):
        others = ", ".join(names.get_values_for_type(x509.DNSName)) or "none"
        yield Finding(
            "warning",
            "tls",
            f"{path} does not have the address {address}",
            f"clients have to use one of its names ({others}), or need a certificate with that address",
        )
