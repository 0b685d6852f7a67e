"""What the Envoy of `serve` is told about itself."""

import json

import pytest

from app.settings.serve import ServeSettings
from app.supervisor.envoy import EmbeddedEnvoy


@pytest.mark.parametrize(
    ("host", "with_tokens", "addresses"),
    [
        ("127.0.0.1", False, ["127.0.0.1", "::1"]),
        ("127.0.0.1", True, ["127.0.0.1", "::1"]),
        ("0.0.0.0", True, ["0.0.0.0", "::"]),  # noqa: S104 - what is tested
    ],
)
def test_node_ports_answer_others_only_where_clients_need_tokens(tmp_path, host, with_tokens, addresses):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-secret-of-one-user,admin,1,system:masters\n")
    tokens.chmod(0o600)
    settings = ServeSettings(data_dir=tmp_path, host=host, token_file=tokens if with_tokens else None)
    envoy = EmbeddedEnvoy(tmp_path, settings)
    envoy.prepare()
    try:
        told = json.loads((tmp_path / "envoy.json").read_text())
    finally:
        envoy.remove()
    assert told["node"]["metadata"]["fairlead"] == {"nodeAddresses": addresses}
