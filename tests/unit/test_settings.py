from ipaddress import ip_network

import pytest

from app.cli import COMMANDS, UsageError, execute, read_settings
from app.settings.api import ApiSettings
from app.settings.processes import ReconcilerSettings
from app.settings.serve import ServeSettings

URL = "postgresql://fairlead:secret-password@db/fairlead"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in (
        "HOST",
        "PORT",
        "DATABASE_URL",
        "TOKEN_FILE",
        "TLS_CERT_FILE",
        "TLS_PRIVATE_KEY_FILE",
        "SERVICE_CIDRS",
        "LOG_FORMAT",
    ):
        monkeypatch.delenv(f"FAIRLEAD_{name}", raising=False)


OIDC = ["--oidc-issuer-url", "https://login.example.com", "--oidc-client-id", "fairlead"]


def refusal(*arguments):
    with pytest.raises(UsageError) as refused:
        execute(arguments)
    return refused.value.args


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "http"], "--port (FAIRLEAD_PORT): should be a valid integer, not 'http'"),
        (["--port", "65536"], "--port (FAIRLEAD_PORT): should be less than or equal to 65535, not '65536'"),
        (["--workers", "0"], "--workers (FAIRLEAD_WORKERS): should be greater than or equal to 1"),
        (["--host", "example.org"], "no address to listen on; write one like 127.0.0.1"),
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in: give a --token-file"),  # noqa: S104
        (["--host", "::"], "or stay on loopback with 127.0.0.1"),
        (["--service-cidrs", "10.96.0.1/16"], "write 10.96.0.0/16"),
        (["--service-cidrs", "ten"], "'ten' is no range of addresses; write CIDRs"),
        (["--service-cidrs", ""], "is no range of addresses"),
        (["--service-cidrs", "10.96.0.0/16,10.97.0.0/16"], "names a family twice"),
        (["--service-cidrs", "10.96.0.0/16,10.96.1.0/24"], "overlap"),
        (["--service-cidrs", "10.96.0.0/31"], "no room for Services; a /30"),
        (["--service-cidrs", "fd00::/63"], "an IPv6 range has a prefix of /64 or longer"),
        (["--service-cidrs", "127.0.0.0/16"], "is reserved"),
        (["--service-cidrs", "224.0.0.0/16"], "is reserved"),
        (["--service-cidrs", "169.254.0.0/16"], "is reserved"),
        (["--service-cidrs", "10.0.0.0/8"], "--service-cidrs 10.0.0.0/8 and --internal-pool 10.224.0.0/16 overlap"),
        (["--internal-pool", "10.96.128.0/24"], "--service-cidrs 10.96.0.0/16 and --internal-pool 10.96.128.0/24"),
        (["--external-pool", "10.224.0.0/24"], "--internal-pool 10.224.0.0/16 and --external-pool 10.224.0.0/24"),
        (["--external-pool", "2001:db8::/32"], "prefix of /64 or longer"),
        (["--node-port-range", "30000"], "write first-last within 1-65535"),
        (["--node-port-range", "32767-30000"], "write first-last within 1-65535"),
        (["--node-port-range", "0-100"], "write first-last within 1-65535"),
        (["--node-port-range", "30000-70000"], "write first-last within 1-65535"),
        (["--cluster-domain", "Cluster.Local"], "is no DNS name in lower case"),
        (["--cluster-domain", "cluster.local."], "without a dot at its end"),
        (["--load-balancer-controller", "metallb"], "should be 'fairlead' or 'none', not 'metallb'"),
        (["--allocation-wait", "-1"], "should be greater than or equal to 0"),
        (["--log-format", "xml"], "should be 'console' or 'json', not 'xml'"),
        (["--database-url", "mysql://root:secret-password@db/x"], "only Postgres is supported"),
        *(
            (["--database-url", url], "it cannot be read: write postgresql://user:password@host:5432/database")
            for url in (
                "postgresql://root:secret#word@db/x",
                "postgresql://root:secret/word@db/x",
                "postgresql://root:secret@db:port/x",
                "postgresql://root:secret@[::1/x",
                "postgresql://root:secret@::1/x",
            )
        ),
        (
            ["--database-url", f"{URL}?target_session_attrs=standby"],
            "target_session_attrs=standby cannot be: only a primary stores anything",
        ),
        (["--advertise-address", "0.0.0.0"], "0.0.0.0 is not the address of one machine"),  # noqa: S104
        (["--token-file", "/no/such/file"], "/no/such/file cannot be read: No such file or directory"),
        (["--tls-cert-file", __file__], "--tls-cert-file and --tls-private-key-file need each other"),
        (["--tls-private-key-file", __file__], "give both, or none of them"),
        (["--insecure-http"], "--insecure-http needs a --token-file"),
        (["--oidc-issuer-url", "https://x"], "so --oidc-issuer-url and --oidc-client-id are needed"),
        (["--oidc-groups-claim", "g"], "--oidc-groups-claim is given, so --oidc-issuer-url"),
        ([*OIDC, "--oidc-signing-algs", "HS256"], "--oidc-signing-algs HS256 is not one of RS256"),
        ([*OIDC, "--oidc-required-claim", "hd"], "--oidc-required-claim 'hd' is not like claim=value"),
        ([*OIDC, "--oidc-ca-file", "/none"], "/none cannot be read as certificates"),
        ([*OIDC, "--authentication-config", "/none"], "--oidc-issuer-url and --authentication-config both"),
        (["--authentication-config", "/none"], "/none cannot be read"),
        (["--service-account-issuer", "https://x?y"], "'https://x?y' is no URL of an issuer"),
        (["--audit-policy-file", "/none"], "--audit-policy-file is given, so --audit-log-path is needed"),
        (["--audit-log-maxsize", "5"], "--audit-log-maxsize is given, so --audit-log-path is needed"),
        (["--audit-log-path", "/none/audit.log"], "--audit-log-path /none/audit.log: there is no directory /none"),
        (["--audit-log-path", "-", "--audit-policy-file", "/none"], "/none cannot be read"),
        (["--audit-log-path", "-", "--audit-log-mode", "often"], "--audit-log-mode"),
        (["--service-account-max-token-expiration", "60"], "--service-account-max-token-expiration 60 is too short"),
        (["--tls-cert-file", "/no/such", "--tls-private-key-file", __file__], "/no/such cannot be read: No such file"),
        (["--tls-cert-file", __file__, "--tls-private-key-file", __file__], "private key in PEM, which begins with"),
        (["--prot", "80"], "unrecognized arguments: --prot 80"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_with_what_would_be_right(arguments, said):
    lines = refusal("serve", *arguments)
    assert len(lines) == 1
    assert said in lines[0]
    assert "\n" not in lines[0]
    assert "secret" not in lines[0]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgres://db",
        "postgresql://",
        "postgresql://root@/x?host=%2Ftmp%2Fsocket@dir",
        "postgresql://root:p%40ss%2Fword@[::1]:5432/x",
        "postgresql://one:5432,two:5433/x?target_session_attrs=read-write",
    ],
)
def test_a_database_url_of_libpq_is_taken(url):
    assert ApiSettings(database_url=url).database_url.get_secret_value() == url


def test_every_wrong_setting_has_its_line():
    assert len(refusal("serve", "--port", "x", "--workers", "x", "--cluster-domain", "X")) == 3


@pytest.mark.parametrize("command", ["api", "reconciler", "migrate", "bump-revision"])
def test_a_process_that_starts_no_database_needs_one_named(command):
    (line,) = refusal(command)
    assert line.startswith("--database-url (FAIRLEAD_DATABASE_URL) is missing")


def test_an_unknown_command_is_refused_with_those_there_are():
    assert f"{', '.join(COMMANDS)}, version" in refusal("server")[0]


def test_a_misspelled_variable_is_refused(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_SERVICE_CIDR", "10.0.0.0/16")
    (line,) = refusal("serve")
    assert line == "the environment variable FAIRLEAD_SERVICE_CIDR sets nothing; did you mean FAIRLEAD_SERVICE_CIDRS?"


@pytest.mark.parametrize("name", ["SERVICE_HOST", "SERVICE_PORT", "PORT_8080_TCP", "PORT_8080_TCP_ADDR"])
def test_what_kubernetes_sets_in_a_pod_beside_a_service_of_our_name_is_passed_over(monkeypatch, name):
    monkeypatch.setenv(f"FAIRLEAD_{name}", "10.0.0.1")
    assert "--port" in refusal("serve", "--port", "x")[0]


def test_a_flag_overrules_a_variable(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_PORT", "x")
    monkeypatch.setenv("FAIRLEAD_SERVICE_CIDRS", "10.0.0.0/16,fd00:1::/112")
    settings = read_settings("serve", COMMANDS["serve"], ["--port", "9000"])
    assert settings.port == 9000
    assert list(settings.service_cidrs) == [ip_network("10.0.0.0/16"), ip_network("fd00:1::/112")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_loopback_needs_no_token(host):
    assert ServeSettings(host=host).tokens == ()


def test_the_level_of_the_log_may_be_in_a_file(tmp_path):
    path = tmp_path / "level"
    path.write_text("debug\n")
    settings = read_settings("serve", COMMANDS["serve"], ["--log-level-file", str(path)])
    assert settings.level == "debug"
    path.write_text("loud" * 100)
    assert "which is no level; write one of debug, info" in refusal("serve", "--log-level-file", str(path))[0]
    assert "cannot be read" in refusal("serve", "--log-level-file", str(tmp_path / "absent"))[0]


def test_tokens_that_others_may_change_are_refused(tmp_path):
    path = tmp_path / "tokens.csv"
    path.write_text("abc,admin,1\n")
    path.chmod(0o620)
    assert f"chmod go-w {path}" in refusal("serve", "--token-file", str(path))[0]


def test_defaults_leave_room_and_do_not_overlap():
    settings = ServeSettings()
    assert sum(network.num_addresses for network in settings.internal_pool) >= 1024
    assert sum(network.num_addresses for network in settings.external_pool) >= 1024
    assert str(settings.service_cidrs) == "10.96.0.0/16"
    assert str(settings.node_port_range) == "30000-32767"


def test_settings_survive_the_way_to_a_child(monkeypatch, tmp_path):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text('abc,admin,1,"a,b"\n')
    settings = ServeSettings(
        database_url=URL,
        token_file=tokens,
        host="0.0.0.0",  # noqa: S104 - permitted by the tokens
        service_cidrs="10.0.0.0/16,fd00:1::/112",
        internal_pool="10.1.0.0/24,10.3.0.0/24",
        node_port_range="20000-20100",
        load_balancer_controller="none",
        allocation_wait=0.5,
        insecure_http=True,
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    for child in (ApiSettings(), ReconcilerSettings()):
        for field in set(type(child).model_fields) & set(ServeSettings.model_fields):
            assert getattr(child, field) == getattr(settings, field), field
    assert ApiSettings().database_url.get_secret_value() == URL


def test_tokens_need_tls_or_that_plain_http_is_asked_for(tmp_path):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("abc,admin,1\n")
    tokens.chmod(0o600)
    assert "tokens need TLS" in refusal("api", "--token-file", str(tokens))[0]
    assert ApiSettings(token_file=tokens, insecure_http=True).tls is None
    assert ServeSettings(token_file=tokens).needs_own_certificate
    assert not ServeSettings(token_file=tokens, insecure_http=True).needs_own_certificate
    assert not ServeSettings().needs_own_certificate


def test_the_password_of_the_database_is_not_shown():
    assert "secret-password" not in repr(ServeSettings(database_url=URL))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_setting_with_its_variable(command, capsys):
    with pytest.raises(SystemExit) as ended:
        execute([command, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for field in COMMANDS[command].settings.model_fields:
        assert f"--{field.replace('_', '-')} " in shown
        assert f"[env: FAIRLEAD_{field.upper()}]" in shown
