"""What the README shows and what `examples/` has are the same."""

from pathlib import Path

import yaml

from tests.e2e.guides import blocks


def test_the_services_of_the_readme_are_a_file():
    text = Path("examples/services.yaml").read_text()
    assert f"```yaml\n{text}```\n" in Path("README.md").read_text()
    types = [each["spec"].get("type", "ClusterIP") for each in yaml.safe_load_all(text)]
    assert {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"} == set(types)


def test_the_commands_of_the_readme_are_a_file():
    text = Path("examples/first-service.sh").read_text()
    assert [block.text for block in blocks(Path("README.md")) if block.text.rstrip("\n") not in text] == []
