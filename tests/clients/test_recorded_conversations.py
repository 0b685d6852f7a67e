"""Recorded conversations with a Kubernetes API server, played against this one: it answers the same, but on purpose.

They lie beside the repository, and the tests are skipped where they do not.
"""

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.serving import Serving

ROOT = Path(__file__).parents[2]
VECTORS = ROOT.parent / "shared" / "vectors"
SERVERS = {
    "single-stack": ("10.96.0.0/16",),
    "dual-stack": ("10.96.0.0/16,fd00:10:96::/112",),
    "access": ("10.96.0.0/16",),
}
PLAYED = {"access": ("configmap/", "secret/", "serviceaccount/")}
"""Groups of scenarios, of a file that is not played whole."""

NOT_SERVED = ("/token", "tokenreviews", "rbac.authorization.k8s.io")
"""Parts of paths; a scenario that has one of them is left out."""

NO_REVISION = "PUT whose `resourceVersion` is no number"
DEVIATIONS = {"single-stack": [NO_REVISION], "dual-stack": [NO_REVISION], "access": []}
"""Rows of docs/deviations.md that a file's scenarios meet, one for each scenario that differs."""

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"there are no recorded conversations in {VECTORS}")


@dataclass(frozen=True)
class Difference:
    """One answer that is not the recorded one.

    Attributes:
        scenario: Its name.
        step: What was asked, and what Kubernetes answered.
        answer: What was answered here.
        differences: In words.
    """

    scenario: str
    step: dict
    answer: dict
    differences: list

    @property
    def deviation(self):
        """The documented deviation that explains it, None if none does."""
        body = self.step.get("body")
        revision = body.get("metadata", {}).get("resourceVersion") if isinstance(body, dict) else None
        malformed = isinstance(revision, str) and not revision.isdigit()
        if self.step["method"] == "PUT" and self.step["expect"]["code"] == 500 and malformed:
            return NO_REVISION if 400 <= self.answer["code"] < 500 else None
        return None


@pytest.fixture(scope="module")
def replay():
    """The module that plays scenarios and compares answers."""
    spec = importlib.util.spec_from_file_location("replay", VECTORS / "replay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def played(replay, tmp_path_factory):
    """What was different, by file; both are played at once, each against a server of its own."""
    folder = tmp_path_factory.mktemp("recorded")
    with ExitStack() as stack:
        servings = {
            name: stack.enter_context(Serving(
                folder / name, "--load-balancer-controller", "none", "--workers", "1", "--service-cidrs", *cidrs,
                wait=False,
            ))
            for name, cidrs in SERVERS.items()
        }  # fmt: skip
        for serving in servings.values():
            serving.wait()
        with ThreadPoolExecutor() as threads:
            results = {
                name: threads.submit(play, replay, serving.url, VECTORS / f"{name}.jsonl")
                for name, serving in servings.items()
            }
        yield {name: result.result() for name, result in results.items()}


def scenarios(path):
    groups = PLAYED.get(path.stem, ("",))
    with path.open(encoding="utf-8") as lines:
        for scenario in map(json.loads, lines):
            paths = " ".join(step["path"] for step in scenario["steps"])
            if scenario["name"].startswith(groups) and not any(part in paths for part in NOT_SERVED):
                yield scenario


def play(replay, url, path):
    found = []
    with replay.connect(url, None) as client:
        for scenario in scenarios(path):
            answers = replay.run_scenario(client, scenario)
            for step, answer in zip(scenario["steps"], answers, strict=True):
                differences = replay.differences(step["expect"], answer)
                if differences:
                    found.append(Difference(scenario["name"], step, answer, differences))
    return found


@pytest.mark.parametrize("name", SERVERS)
def test_only_what_is_documented_differs(played, name):
    unexplained = [each for each in played[name] if each.deviation is None]
    assert not unexplained, "\n".join(f"{each.scenario}: {each.differences}" for each in unexplained)
    assert [each.deviation for each in played[name]] == DEVIATIONS[name]
    documented = (ROOT / "docs" / "deviations.md").read_text()
    assert all(deviation in documented for deviation in DEVIATIONS[name])
