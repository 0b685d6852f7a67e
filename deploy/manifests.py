"""Renders the Helm chart into Kustomize's base and its component for Envoys, so that both say the same.

Run by `make manifests`; a test compares what is there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import helm_python
import yaml

DEPLOY = Path(__file__).parent
CHART = DEPLOY / "helm" / "fairlead"
MANAGED_BY = "app.kubernetes.io/managed-by"


def render(values: Mapping[str, Any], name: str = "fairlead", namespace: str = "fairlead") -> list[dict[str, Any]]:
    """The objects of the chart with these values.

    Raises:
        helm_python.HelmError: The values are not those of the chart, or a template is wrong.
    """
    with helm_python.Chart.load(CHART) as chart, helm_python.Config(namespace=namespace) as config:
        rendered = config.render(chart, dict(values), name=name, namespace=namespace)
    texts = [text for path, text in sorted(rendered.items()) if path.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def manifests() -> dict[Path, str]:
    """The files of Kustomize that are made from the chart, and what is in them."""
    plain = {"migrate": {"hook": False}}
    base = render(plain)
    known = list(map(_key, base))
    with_xds = [each for each in render({**plain, "xds": {"enabled": True}}) if _key(each) not in known]
    kustomize = DEPLOY / "kustomize"
    return {
        kustomize / "base" / "fairlead.yaml": _text(base),
        kustomize / "components" / "xds" / "xds.yaml": _text(with_xds),
    }


def _key(document: Mapping[str, Any]) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _text(documents: list[dict[str, Any]]) -> str:
    for document in documents:
        _forget_helm(document)
    return "# Made from deploy/helm/fairlead by `make manifests`.\n" + yaml.safe_dump_all(documents, sort_keys=False)


def _forget_helm(document: Any) -> None:
    """Take away the label that says who manages it, wherever it is."""
    children = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    if isinstance(document, dict):
        document.pop(MANAGED_BY, None)
    for child in children:
        _forget_helm(child)


if __name__ == "__main__":
    for path, text in manifests().items():
        path.write_text(text)
