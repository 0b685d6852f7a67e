"""What one request costs of authentication and of the audit log, in processor time of one core."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.api.access.auditing import Auditor
from app.api.access.client_certificates import ClientCertificates
from app.api.exchange import Exchange
from app.api.limits import BodyBudget
from app.audit.log import AuditLog
from app.audit.log_file import LogFile, Rotation
from app.audit.policy_file import DEFAULT_POLICY
from app.credentials.authority import Authority
from app.credentials.token_signing import SigningKey, Verification
from app.credentials.tokens import Token, TokenUsers
from app.domain.rules.access.requests import ResourceRequest
from app.domain.user import User

_TIMES = 20_000
_PATH = "/api/v1/namespaces/default/services/web"


def costs():
    """Seconds for one of each."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        return {
            "a token of the token file": _timed(_token_file()),
            "a token of a ServiceAccount, remembered": _timed(_remembered_token()),
            "a token of a ServiceAccount, the first time": _timed(_first_token(), 2_000),
            "signing a token": _timed(_signing(), 500),
            "a client certificate": _timed(_certificate(directory)),
            "a line of the audit log": _timed(_line(directory)),
        }


def _timed(once, times=_TIMES):
    once()
    started = time.process_time()
    for _ in range(times):
        once()
    return (time.process_time() - started) / times


def _token_file():
    users = TokenUsers(Token(f"secret-{number}", User(f"user-{number}")) for number in range(1000))
    return lambda: users.find(b"secret-500")


def _remembered_token():
    key, verification = SigningKey.generate(), Verification()
    verification.replace([key])
    token = key.sign({"iss": "i", "sub": "s"})
    return lambda: verification.verified(token, key.id)


def _first_token():
    key = SigningKey.generate()
    token = key.sign({"iss": "i", "sub": "s"})
    return lambda: key.verified(token)


def _signing():
    key = SigningKey.generate()
    return lambda: key.sign({"iss": "i", "sub": "s"})


def _certificate(directory):
    authority, now = Authority(directory), datetime.now(UTC)
    authority.keep_up(now)
    pem = authority.client_certificate("ann", ("dev",), 1, now)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    known = ClientCertificates()
    return lambda: known.user_of(der)


def _line(directory):
    log = AuditLog(LogFile(directory / "audit.log", Rotation()))
    auditor = Auditor(log, lambda: DEFAULT_POLICY, [("", "services")])
    request = ResourceRequest("get", "", "services", "", "default", "web")
    user, budget = User("ann", "1", ("dev", "system:authenticated")), BodyBudget(1)
    headers = [(b"host", b"x"), (b"user-agent", b"kubectl/v1.33.0 (linux/amd64) kubernetes/abcdef")]
    scope = {"type": "http", "method": "GET", "path": _PATH, "raw_path": _PATH.encode(), "query_string": b"",
             "headers": headers, "http_version": "1.1", "client": ("127.0.0.1", 1)}  # fmt: skip

    def once():
        exchange = Exchange(scope, None, None, 1, budget)
        exchange.user, exchange.code = user, 200
        auditor.begin(exchange, request)
        exchange.record.complete()

    return once
