"""What `fairlead console` refuses."""

import pytest

from app.cli import UsageError, execute


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "192.0.2.1"], "lets other machines in"),
        (["--api-url", "ftp://api"], "is no URL of a server"),
        (["--console-url", "https://a/b"], "is no URL of a server"),
        (["--oidc-client-id", "fairlead"], "a provider needs --oidc-issuer-url"),
        (["--oidc-issuer-url", "http://login.example.com", "--oidc-client-id", "fairlead"], "begins with https://"),
        (["--tls-cert-file", "cert.pem"], "need each other"),
        (["--api-ca-file", "/nowhere/ca.pem"], "cannot be read as certificates"),
        (["--console-client-secret-file", "/nowhere/secret"], "cannot be read"),
    ],
)
def test_what_would_not_work_or_be_unsafe_is_refused(arguments, said):
    with pytest.raises(UsageError) as refused:
        execute(["console", *arguments])
    assert said in " ".join(refused.value.args)
