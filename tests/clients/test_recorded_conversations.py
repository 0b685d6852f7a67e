"""Recorded conversations with a Kubernetes API server, played against this one: it answers the same, but on purpose.

They lie beside the repository, and the tests are skipped where they do not.
"""

import importlib.util
import json
from collections import Counter
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
ADMIN = "fake-token-admin"
TOKENS = {"access": "access-tokens.csv"}
"""The token file with the users of a file's scenarios."""
PLAYED = {"access": ("configmap/", "defaultroles/", "policy/", "quota/", "rbac/", "secret/", "serviceaccount/")}
"""Groups of scenarios, of a file that is not played whole."""

NOT_SERVED = ("/token", "tokenreviews")
"""What a scenario that is left out asks for."""

NO_REVISION = "PUT whose `resourceVersion` is no number"
CONDITIONS = "Every Service has the conditions `Allocated` and `Resolvable`"
POD_GOES = "A Pod that is deleted goes at once"
POD_WARNS = "A Pod that no registrant keeps alive is created with a warning"
QUOTA_FOLLOWS = "The status of a ResourceQuota follows a moment after its spec"
FINALIZER = "A ServiceCIDR has its finalizer from the moment of its creation"
DEVIATIONS = {
    "single-stack": {NO_REVISION: 1},
    "dual-stack": {NO_REVISION: 1},
    "access": {CONDITIONS: 0, POD_GOES: 1, POD_WARNS: 2, FINALIZER: 2, QUOTA_FOLLOWS: 0},
}
"""Sentences of docs/deviations.md that explain what differs in a file, and in how many steps; 0 is any number."""

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
        differing = [each.partition(":")[0] for each in self.differences]
        if differing == [".status.conditions"]:
            return CONDITIONS
        if differing == [".metadata.finalizers"] and "/servicecidrs" in self.step["path"]:
            return FINALIZER
        method, path = self.step["method"], self.step["path"]
        known = {
            QUOTA_FOLLOWS: method == "PATCH"
            and "/resourcequotas/" in path
            and all(each.startswith(".status.") for each in differing),
            POD_GOES: method == "DELETE" and "/pods/" in path,
            POD_WARNS: method == "POST" and path.endswith("/pods") and differing == ["warnings"],
        }
        for deviation, explains in known.items():
            if explains:
                return deviation
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
                *with_tokens(name, folder), wait=False,
            ))
            for name, cidrs in SERVERS.items()
        }  # fmt: skip
        for serving in servings.values():
            serving.wait()
        with ThreadPoolExecutor() as threads:
            results = {
                name: threads.submit(play, replay, serving.url, VECTORS / f"{name}.jsonl", TOKENS.get(name))
                for name, serving in servings.items()
            }
        yield {name: result.result() for name, result in results.items()}


def with_tokens(name, folder):
    """Flags for a server that knows the users of the scenarios, from a copy of their file that is nobody else's."""
    if name not in TOKENS:
        return ()
    copy = folder / "tokens.csv"
    copy.touch(0o600)
    copy.write_text((VECTORS / TOKENS[name]).read_text())
    return ("--token-file", copy)


def scenarios(path):
    groups = PLAYED.get(path.stem, ("",))
    with path.open(encoding="utf-8") as lines:
        for scenario in map(json.loads, lines):
            asked = " ".join(f"{step['path']} {step.get('body')}" for step in scenario["steps"])
            if scenario["name"].startswith(groups) and not any(part in asked for part in NOT_SERVED):
                yield scenario


def play(replay, url, path, token_file):
    found = []
    tokens = replay.read_tokens(VECTORS / token_file) if token_file else {}
    with replay.connect(url, ADMIN if token_file else None) as client:
        for scenario in scenarios(path):
            for step in scenario["steps"]:
                step.pop("pause", None)  # here a right holds as soon as it is given
            answers = replay.run_scenario(client, scenario, tokens)
            for step, answer in zip(scenario["steps"], answers, strict=True):
                differences = replay.differences(step["expect"], answer)
                if differences:
                    found.append(Difference(scenario["name"], step, answer, differences))
    return found


@pytest.mark.parametrize("name", SERVERS)
def test_only_what_is_documented_differs(played, name):
    unexplained = [each for each in played[name] if each.deviation is None]
    assert not unexplained, "\n".join(f"{each.scenario}: {each.differences}" for each in unexplained)
    met = Counter(each.deviation for each in played[name])
    assert {each for each, count in DEVIATIONS[name].items() if count} <= met.keys() <= DEVIATIONS[name].keys()
    assert {each: count and met[each] for each, count in DEVIATIONS[name].items()} == DEVIATIONS[name]
    documented = (ROOT / "docs" / "deviations.md").read_text()
    assert all(deviation in documented for deviation in DEVIATIONS[name])
