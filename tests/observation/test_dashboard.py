"""Every query of the dashboard is of metrics that there are, and shows something of a product at work."""

import re
import time
from pathlib import Path

import prometheus_client
import pytest
import yaml

import app.telemetry.metrics  # noqa: F401 - makes the metrics known
from app.telemetry.processes import ProcessCollector
from tests.e2e.waiting import until
from tests.observation.activity import SERVICES, busy
from tests.observation.dashboard import dashboard, expression, legend, targets

OF_PROMETHEUS = {"job", "instance", "le"}
HEALTHY = (
    'apiserver_request_total{job=~"fairlead", code=~',
    "apiserver_flowcontrol_rejected_requests_total",
    "workqueue_retries_total",
    "fairlead_controller_failures_total",
    "fairlead_data_plane_rejections_total",
)
"""What nothing is counted of as long as all goes well."""


def known_labels():
    """The labels of each sample that there may be."""
    known = {}
    for collector in set(prometheus_client.REGISTRY._names_to_collectors.values()):
        labels = set(getattr(collector, "_labelnames", ()))
        for sample in prometheus_client.REGISTRY._collector_to_names[collector]:
            known[sample] = labels
    for family in ProcessCollector(0).collect():
        known[family.name] = known[f"{family.name}_total"] = {"process", "pid"}
    return known


def test_every_query_is_of_metrics_and_labels_that_there_are():
    known = known_labels()
    for title, target in targets():
        expr, labels = target["expr"], set()
        named = re.findall(r"\b((?:fairlead|apiserver|workqueue|process)_\w+)\{([^}]*)\}", expr)
        assert named, title
        for metric, matchers in named:
            assert metric in known, title
            labels |= known[metric]
            assert set(re.findall(r"(\w+)\s*=", matchers)) <= known[metric] | OF_PROMETHEUS, title
        grouped = {label.strip() for each in re.findall(r"by \(([^)]*)\)", expr) for label in each.split(",")}
        assert grouped <= labels | OF_PROMETHEUS, title
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= (grouped or labels), title


def test_it_can_be_read_by_a_grafana():
    found = dashboard()
    identities = [panel["id"] for panel in found["panels"]]
    assert len(set(identities)) == len(identities)
    assert {variable["name"] for variable in found["templating"]["list"]} == {"datasource", "job"}
    taken = set()
    for panel in found["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


@pytest.fixture(scope="module")
def working(tmp_path_factory):
    with busy(tmp_path_factory.mktemp("dashboard")) as found:
        found.set_up()
        for number in range(5):
            found.work(number)
        yield found


def test_every_query_shows_something_of_a_product_at_work(working):
    numbers = iter(range(100, 10_000))
    for title, target in targets():
        query = expression(target)
        if any(each in query for each in HEALTHY):
            working.prometheus.query(query)
            continue

        def shown(query=query):
            working.work(next(numbers))
            return [value for _, value in working.prometheus.query(query) if value == value]  # noqa: PLR0124 - no NaN

        assert until(shown, timeout=40, pause=0.5), title
        for labels, _ in working.prometheus.query(query):
            assert legend(target, labels), f"{title} has a series without a name"


def test_the_time_to_answer_has_exemplars_that_name_traces(working):
    def shown():
        # A scrape shows the examples of the process that it reaches, and requests reach any process by new connections.
        working.client.get(SERVICES, headers={"connection": "close"}).raise_for_status()
        return working.prometheus.exemplars(
            "apiserver_request_duration_seconds_bucket", time.time() - 600, time.time() + 1
        )

    found = until(shown, pause=0.2)
    assert all(re.fullmatch(r"[0-9a-f]{32}", each["exemplars"][0]["labels"]["trace_id"]) for each in found)


def test_every_alert_can_be_evaluated(working):
    document = yaml.safe_load(Path("deploy/prometheus/fairlead.rules.yml").read_text())
    alerts = {
        rule["alert"]: working.prometheus.query(rule["expr"]) for group in document["groups"] for rule in group["rules"]
    }
    assert alerts.pop("FairleadCertificateExpires") == []
    # The secondary that does not answer is tried again and again, which is told once it has gone on for a while.
    assert {name for name, found in alerts.items() if found} <= {"FairleadSecondaryBehind", "FairleadControllerRetries"}
    until(lambda: working.prometheus.query('fairlead_controller_failures_total{name="zone-secondaries"} > 1'))
