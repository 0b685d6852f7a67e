"""Files of settings, help, versions and completion."""

import re

import pytest

from app import __version__
from app.cli import COMMANDS, UsageError, execute, main, read_settings

URL = "postgresql://fairlead:secret-password@db/fairlead"


@pytest.fixture
def written(tmp_path):
    def write(text, name="fairlead.toml", mode=0o600):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    return write


def serve(*arguments):
    return read_settings("serve", COMMANDS["serve"], arguments)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.toml",
            'port = 9000\nservice-cidrs = ["10.0.0.0/16", "fd00::/112"]\nno-console = true\nallocation-wait = 1.5\n',
        ),
        ("a.yaml", "port: 9000\nservice_cidrs: [10.0.0.0/16, 'fd00::/112']\nno-console: true\nallocation-wait: 1.5\n"),
        (
            "a.json",
            '{"port": 9000, "service-cidrs": "10.0.0.0/16,fd00::/112", "no-console": true, "allocation-wait": 1.5}',
        ),
    ],
)
def test_settings_may_be_in_a_file(written, name, text):
    settings = serve("--config", written(text, name))
    assert settings.port == 9000
    assert str(settings.service_cidrs) == "10.0.0.0/16,fd00::/112"
    assert settings.no_console
    assert settings.allocation_wait == 1.5


def test_flags_come_before_variables_and_these_before_the_file(written, monkeypatch):
    path = written("port = 1\nworkers = 1\ndns-port = 1\n")
    monkeypatch.setenv("FAIRLEAD_CONFIG", path)
    monkeypatch.setenv("FAIRLEAD_WORKERS", "2")
    monkeypatch.setenv("FAIRLEAD_DNS_PORT", "2")
    settings = serve("--dns-port", "3")
    assert (settings.port, settings.workers, settings.dns_port) == (1, 2, 3)


def test_a_file_may_have_settings_of_other_commands(written):
    assert serve("--config", written("health-port = 9\nport = 10\n")).port == 10


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("prot = 1", "a.toml", "'prot', which is no setting; did you mean port?"),
        ("port = {a = 1}", "a.toml", "write a text, a number, true, false or a list of them"),
        ("port = ", "a.toml", "cannot be read"),
        ("[1, 2]", "a.yaml", "must hold names of settings with their values"),
        ("a: [", "a.yaml", "cannot be read"),
        ("port = 1", "a.conf", "must end in one of .json, .toml, .yaml, .yml"),
        ("port = 'http'", "a.toml", "--port (FAIRLEAD_PORT): should be a valid integer"),
    ],
)
def test_a_wrong_file_is_refused(written, text, name, said):
    with pytest.raises(UsageError) as refused:
        serve("--config", written(text, name))
    assert said in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        serve("--config", str(tmp_path / "nothing.toml"))


def test_a_file_that_others_may_change_is_refused(written):
    with pytest.raises(UsageError, match="chmod go-w"):
        serve("--config", written("port = 1", mode=0o666))


def test_a_file_that_shows_a_password_is_refused(written):
    path = written(f"database-url = '{URL}'", mode=0o644)
    with pytest.raises(UsageError, match="chmod 600") as refused:
        serve("--config", path)
    assert "secret-password" not in str(refused.value)


@pytest.mark.parametrize("word", ["-V", "--version", "version"])
def test_the_version_is_told(word, capsys):
    execute([word])
    assert capsys.readouterr().out == f"fairlead {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_words_for_values_and_no_empty_defaults(command, capsys):
    with pytest.raises(SystemExit):
        execute([command, "--help"])
    shown = capsys.readouterr().out
    assert "null" not in shown
    assert "(default: )" not in shown
    values = dict(re.findall(r"^  (--[\w-]+) ([^\s{]+)", shown, re.MULTILINE))
    assert {flag: value for flag, value in values.items() if value != value.upper()} == {}
    # Such as `--oidc-groups-prefix TEXT`: only these can be anything.
    assert {flag for flag in re.findall(r"(--\S+) TEXT", shown) if not flag.endswith("-prefix")} <= {"--to"}


def test_help_tells_numbers_from_names(capsys):
    with pytest.raises(SystemExit):
        execute(["serve", "--help"])
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for words in ("--connections-per-user NUMBER", "--objects-per-namespace NUMBER", "--port PORT",
                  "--history-retention AGE", "--allocation-wait SECONDS", "--cors-origins URL,..."):  # fmt: skip
        assert words in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_and_flags_are_completed(shell, capsys):
    execute(["completion", shell])
    script = capsys.readouterr().out
    assert "reconciler" in script
    assert "service-cidrs" in script


def test_an_unknown_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["completion", "cmd"])
    assert ended.value.code == 2
    assert "bash" in capsys.readouterr().err
