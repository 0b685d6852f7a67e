"""What ten policies cost: a server in which ten ValidatingAdmissionPolicies for Services hold, and none, in turn.

Run with `python -m tests.bench.policies [--rounds 5] [--seconds 3]`. Each policy has a variable, a matchCondition and
two validations, one of them a regular expression in every third, and all ten are asked about every Service. It is
one server, since two differ by themselves.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import uvloop

from tests.bench.against import compare, head
from tests.bench.bodies import encoded
from tests.bench.client import Server
from tests.bench.product import Product
from tests.bench.workloads import Bench

POLICIES = 10
_GROUP = "/apis/admissionregistration.k8s.io/v1"
_POLICIES, _BINDINGS = f"{_GROUP}/validatingadmissionpolicies", f"{_GROUP}/validatingadmissionpolicybindings"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each workload runs on each server")
    parser.add_argument("--seconds", type=float, default=3, help="for each workload")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Product(Path(name)) as product:
        uvloop.run(_measure(product, options))


async def _measure(product, options):
    server = Server(product.url)
    ruled, free = (Bench(server, product, options.seconds, lambda _: None) for _ in range(2))
    await ruled.namespace()
    for number in range(POLICIES):
        code, text = await server.send("POST", _POLICIES, encoded(policy(number)))
        assert code == 201, text

    async def posts(bench):
        await _bind(server, bench is ruled)
        await bench.posts(of_type="ClusterIP", clients=32)

    print(f"\nten policies, against none\n{head()}")
    await compare(ruled, free, options.rounds, [posts], partial(print, flush=True))


async def _bind(server, bound):
    """Have the policies hold, or none."""
    if not bound:
        code, text = await server.send("DELETE", _BINDINGS)
        assert code == 200, text
        return
    for number in range(POLICIES):
        code, text = await server.send("POST", _BINDINGS, encoded(binding(number)))
        assert code in (201, 409), text


def policy(number):
    """A policy that every Service of the benchmark satisfies."""
    pattern = "object.metadata.name.matches('^[a-z][a-z0-9-]*$')"
    labels = "object.metadata.labels.all(key, size(key) < 64)"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["services"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"p{number}"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "not-named-so", "expression": f"object.metadata.name != 'n{number}'"}],
            "variables": [
                {"name": "internal", "expression": "object.metadata.?annotations['internal'].orValue('') == 'true'"}
            ],
            "validations": [
                {"expression": "object.spec.type != 'LoadBalancer' || variables.internal"},
                {"expression": pattern if number % 3 == 0 else f"!has(object.metadata.labels) || {labels}"},
            ],
        },
    }


def binding(number):
    """Has the policy hold everywhere."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"p{number}"},
        "spec": {"policyName": f"p{number}", "validationActions": ["Deny"]},
    }


if __name__ == "__main__":
    main()
