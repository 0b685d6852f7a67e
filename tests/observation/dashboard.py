"""The dashboard of deploy/grafana, as it is read without a Grafana."""

import json
import re
from pathlib import Path

FILE = Path("deploy/grafana/fairlead.json")
SPAN = "15s"
"""What Grafana would put in for `$__rate_interval`: some scrapes."""


def dashboard():
    return json.loads(FILE.read_text())


def panels():
    """Each row's title with its panels."""
    rows = []
    for panel in dashboard()["panels"]:
        if panel["type"] == "row":
            rows.append((panel["title"], []))
        else:
            rows[-1][1].append(panel)
    return rows


def targets():
    """The title of each panel with each of its queries."""
    return [(panel["title"], target) for _, group in panels() for panel in group for target in panel["targets"]]


def expression(target):
    """A query as Prometheus gets it."""
    return target["expr"].replace("$job", "fairlead").replace("$__rate_interval", SPAN)


def legend(target, labels):
    """What stands beside a series."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"]).strip()
