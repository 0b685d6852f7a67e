"""The clients that openapi-generator makes of `/openapi.json`, as docs/sdk.md tells."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text()
OLDEST_JAVA = 11
CONTROL = "http://127.0.0.1:8080"
TYPES = {"compilerOptions": {"lib": ["ES2022", "DOM", "DOM.Iterable"], "module": "NodeNext", "strict": True,
                             "target": "ES2022", "types": []}, "files": ["page.ts"]}  # fmt: skip

OF_EVERY_DOCUMENT = {
    "OpenAPI 3.1 support is still in beta.",
    # For each schema without a `default` (Python), and each member of a `oneOf` that is no reference (all languages).
    "Failed to get the schema name: null",
    # It tries the name of every parameter as the name of a class, and uses neither. Kubernetes names the parameter.
    "Continue (reserved word) cannot be used as model name. Renamed to ModelContinue",
}
"""How warnings begin that the generator has for any document with such a thing in it; nothing is wrong with it."""

ROUND_TRIP = """
import json
import sys

import httpx

import fairlead_client

server, seen = sys.argv[1], 0
document = json.load(open("openapi.json"))
for path, methods in document["paths"].items():
    if "get" not in methods or "{" in path or not path.startswith(("/api/v1/", "/apis/")):
        continue
    schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" not in schema:
        continue
    title = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["title"]
    answered = httpx.get(server + path).json()
    model = getattr(fairlead_client, title).from_dict(answered)
    assert [each.metadata.name for each in model.items] == [each["metadata"]["name"] for each in answered["items"]]
    seen += len(model.items)
print(seen)
"""

BODIES = """
import json
from datetime import datetime

import fairlead_client

sent = 0
document = json.load(open("openapi.json"))


def plain(value):
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [plain(each) for each in value]
    value = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


for methods in document["paths"].values():
    for operation in methods.values():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            title = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["title"]
            model = getattr(fairlead_client, title, None)
            if model is not None and "example" in content:
                made = model.from_dict(content["example"]).to_dict()
                assert plain(made) == plain(content["example"]), (title, made)
                sent += 1
print(sent)
"""


def blocks(language):
    """The blocks of the page in a language that are about this generator."""
    begin = "sh" if language == "sh" else f'{language} title="with openapi-generator"'
    return re.findall(rf"^```{re.escape(begin)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def said(command, directory):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        command,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PATH": path},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def generated(product, tmp_path_factory):
    """A directory in which the commands of the page have been run."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("openapi-generator needs Java: apt-get install default-jre-headless")
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    if int(re.search(r'version "(\d+)', version)[1]) < OLDEST_JAVA:
        pytest.skip(f"openapi-generator needs Java {OLDEST_JAVA} or newer, and this is {version.splitlines()[0]}")
    directory = tmp_path_factory.mktemp("generated")
    (commands,) = blocks("sh")
    assert CONTROL in commands
    (directory / "said.txt").write_text(said(["bash", "-e", "-c", commands.replace(CONTROL, product.url)], directory))
    return directory


@pytest.mark.soak
def test_it_warns_of_nothing_in_the_document(generated):
    told = re.findall(r" (?:WARN|ERROR) +\S+ - (.*)", (generated / "said.txt").read_text())
    assert len(told) >= 2, "it said nothing of OpenAPI 3.1, so this test would not notice warnings"
    assert [each for each in told if not each.startswith(tuple(OF_EVERY_DOCUMENT))] == []


@pytest.mark.soak
def test_a_python_client(generated, product):
    (block,) = blocks("python")
    (generated / "python" / "page.py").write_text(f"SERVER = {product.url!r}\n{block}")
    address, ingress = said([sys.executable, "python/page.py"], generated).split()
    assert address.startswith("10.96.")
    assert ingress.startswith("198.18.")
    assert httpx.get(f"{product.url}/api/v1/namespaces/default/services/orders").status_code == 404


@pytest.mark.soak
def test_a_python_client_understands_a_list_of_each_kind(generated, product):
    (generated / "python" / "lists.py").write_text(ROUND_TRIP)
    assert int(said([sys.executable, "python/lists.py", product.url], generated)) > 50


@pytest.mark.soak
def test_a_python_client_sends_what_the_examples_of_the_document_say(generated):
    (generated / "python" / "bodies.py").write_text(BODIES)
    assert int(said([sys.executable, "python/bodies.py"], generated)) > 50


@pytest.mark.soak
def test_a_typescript_client(generated, product, npx, node, node_packages):
    (block,) = blocks("ts")
    shutil.copytree(generated / "typescript", node_packages / "typescript", dirs_exist_ok=True)
    (node_packages / "page.ts").write_text(block.replace("SERVER", f"'{product.url}'"))
    (node_packages / "page.json").write_text(json.dumps(TYPES))
    npx("tsc", "--project", "page.json")
    told = node("page.js").splitlines()
    assert told[0].startswith("10.96.")
    assert told[1:] == ["AlreadyExists", "[ 'orders' ]"]
