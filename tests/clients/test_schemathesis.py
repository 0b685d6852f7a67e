"""Schemathesis reads the document, and looks for answers that contradict it, and for defects."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.serving import Serving

HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
SERVICES = "CoreV1.*NamespacedService|DNSRecordSet"
CONFIG = """
hooks = "{hooks}"

[parameters]
"path.namespace" = "{namespace}"
"path.name" = "web"
"query.watch" = false
"""


@pytest.fixture
def explore(tmp_path):
    """Runs it in a namespace that has a Service and a Pod `web`; tells how many operations and cases it tried."""

    def run(url, namespace, examples, *only):
        (tmp_path / "hooks.py").write_text(HOOKS.read_text())
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(hooks=tmp_path / "hooks.py", namespace=namespace))
        for kind, spec in {"services": {"ports": [{"port": 80}]}, "pods": {"containers": [{"name": "a"}]}}.items():
            made = httpx.post(f"{url}/api/v1/namespaces/{namespace}/{kind}",
                              json={"metadata": {"name": "web"}, "spec": spec})  # fmt: skip
            assert made.status_code == 201, made.text
        ended = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", f"{url}/openapi.json",
             "--phases", "coverage,fuzzing", "--checks", CHECKS, "--max-examples", str(examples), "--seed", "1",
             "--request-timeout", "20", "--generation-database", "none", "--no-color", *only],
            capture_output=True, text=True, check=False, env=os.environ | {"PYTHONWARNINGS": "ignore"}, cwd=tmp_path,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
        return tuple(int(re.search(pattern, ended.stdout)[1]) for pattern in (r"Tested: (\d+)", r"(\d+) generated"))

    return run


def test_services(explore, product, namespace):
    operations, cases = explore(product.url, namespace, 5, "--include-operation-id-regex", SERVICES)
    assert operations > 12
    assert cases > 2_000


@pytest.mark.soak
def test_everything(explore, tmp_path):
    """On a server of its own, of which much is deleted."""
    with Serving(tmp_path / "data") as serving:
        operations, cases = explore(serving.url, "default", 100)
    assert operations > 100
    assert cases > 20_000
