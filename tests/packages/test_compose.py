"""docker-compose.yml: valid, and run as far as a machine without an engine can."""

import asyncio
import json
import re
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import compose_spec
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.cli import COMMANDS
from app.settings.base import ENVIRONMENT_PREFIX
from tests.dataplane.namespaces import needs_root
from tests.e2e.ensemble import create_database
from tests.packages.apart import run_apart

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
PROCESSES = {name: each for name, each in SERVICES.items() if each["image"] == "fairlead" and "entrypoint" not in each}


def self_signed(*names):
    """A certificate as the commands at the top of the file make them, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def test_it_is_as_the_specification_wants_it():
    merged = yaml.safe_load(TEXT.replace("${POSTGRES_PASSWORD:?put it into .env}", "word"))
    compose = compose_spec.PyCompose.from_yaml(yaml.safe_dump(merged))
    compose.validate()
    assert set(compose.service_names()) == set(SERVICES)


def test_there_are_two_of_each_behind_one_migration():
    commands = sorted(each["command"][0] for each in PROCESSES.values())
    assert commands == ["api", "api", "dns", "dns", "migrate", "reconciler", "reconciler", "xds", "xds"]
    assert {name for name in SERVICES if name.startswith("envoy")} == {"envoy-1", "envoy-2"}
    for name, each in PROCESSES.items():
        if name != "migrate":
            assert each["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_each_process_gets_settings_of_its_own_and_files_that_it_is_given():
    for each in PROCESSES.values():
        names = {name.removeprefix(ENVIRONMENT_PREFIX).lower() for name in each["environment"]}
        common = {"encryption_key_file", "node_port_range"}
        assert names - common <= set(COMMANDS[each["command"][0]].settings.model_fields)
        files = {value for value in each["environment"].values() if value.startswith("/run/secrets/")}
        assert files == {f"/run/secrets/{name}" for name in each["secrets"]}


def test_nothing_has_rights_that_it_does_not_need():
    for name, each in SERVICES.items():
        if name != "postgres":
            assert each["read_only"]
            assert each["cap_drop"] == ["ALL"]
            assert each["security_opt"] == ["no-new-privileges:true"]
        for port in each.get("ports", ()):
            assert port.startswith("127.0.0."), "a port is open to others"


def test_the_commands_at_the_top_make_every_file():
    told = "".join(line for line in TEXT.splitlines(keepends=True) if line.startswith("#"))
    for each in yaml.safe_load(TEXT)["secrets"].values():
        name = each["file"].removeprefix("./")
        assert re.search(rf"(> |-keyout |-out ){re.escape(name)}\b", told)
        assert re.search(rf"^{re.escape(name)}$", (ROOT / ".gitignore").read_text(), re.MULTILINE)


@needs_root
def test_it_runs_and_goes_on_with_half_of_everything(postgres, tmp_path):
    (tls, tls_key), (xds, xds_key) = self_signed("localhost"), self_signed("xds-1", "xds-2")
    given = {
        "database_url": asyncio.run(create_database(postgres, "composed")),
        "secrets": {
            "encryption-keys": b64encode(secrets.token_bytes(32)).decode(),
            "tokens": f'{secrets.token_hex(16)},admin,1,"system:masters"\n',
            "tls.crt": tls,
            "tls.key": tls_key,
            "xds.crt": xds,
            "xds.key": xds_key,
        },
    }
    done = run_apart("composed", given, tmp_path)
    logs = {log.name: log.read_text()[-1500:] for log in tmp_path.glob("*.log")}
    assert done.returncode == 0, (done.stderr, logs)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert len(seen["healthy"]) == 6
    assert seen["names"] == [seen["address"]] * 2
    assert seen["answers"] == ["member"] * 2
    assert seen["name with half of them"] == seen["address with half of them"]
    assert seen["answer with half of them"] == "member"
    assert seen["ended badly"] == {}
