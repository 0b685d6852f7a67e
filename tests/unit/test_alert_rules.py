"""The alert rules fire when they should, for metrics that there are, and the runbook has an answer to each."""

import re
import shutil
import subprocess
from pathlib import Path

import prometheus_client
import pytest
import yaml

import app.telemetry.metrics  # noqa: F401 - makes the metrics known

DIRECTORY = Path("deploy/prometheus")
OF_PROMETHEUS = {"up"}


def rules():
    document = yaml.safe_load((DIRECTORY / "fairlead.rules.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def anchors(page):
    """The anchors of the headings of a page, as they are made for Markdown."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_has_a_metric_and_an_answer(rule):
    known = {
        sample for metric in prometheus_client.REGISTRY.collect() for sample in (metric.name, f"{metric.name}_total")
    }
    named = set(re.findall(r"\b(?:up|(?:fairlead|apiserver|workqueue)_\w+)\b", rule["expr"]))
    assert named
    assert named <= known | OF_PROMETHEUS
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in anchors(Path(page))


def test_each_alert_has_a_drill_that_a_test_tries():
    entries = re.split(r"^## ", Path("docs/runbook.md").read_text(), flags=re.MULTILINE)[1:]
    for entry in entries:
        drill = re.search(r"^Drill: .*?Tried by `(tests/\w+/test_\w+\.py)`\.", entry, re.DOTALL | re.MULTILINE)
        assert drill, entry
        assert Path(drill[1]).is_file(), drill[1]


def test_each_alert_fires_when_it_should():
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    command = ["promtool", "test", "rules", "fairlead.test.yml"]
    told = subprocess.run(command, cwd=DIRECTORY, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    tried = (DIRECTORY / "fairlead.test.yml").read_text()
    assert [rule["alert"] for rule in rules() if f"alertname: {rule['alert']}" not in tried] == []
