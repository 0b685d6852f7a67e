"""What the README shows and what `examples/` has are the same."""

from pathlib import Path

import yaml


def test_the_services_of_the_readme_are_a_file():
    text = Path("examples/services.yaml").read_text()
    assert f"```yaml\n{text}```\n" in Path("README.md").read_text()
    types = [each["spec"].get("type", "ClusterIP") for each in yaml.safe_load_all(text)]
    assert {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"} == set(types)
