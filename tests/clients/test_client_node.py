"""The `@kubernetes/client-node` package."""

import json


def test_a_program_written_with_it(node, kubeconfig, namespace):
    told = json.loads(node("client_node.mjs", kubeconfig, namespace))
    assert told["version"].startswith("v1.36.0+fairlead.")
    assert told["slices"] == "EndpointSliceList"
    life = told["life"]
    assert life.pop("address").startswith("10.96.")
    assert life.pop("frontend").startswith("198.18.")
    assert life == {
        "same": True,
        "targetPort": 8080,
        "stale": [409, "Conflict"],
        "labels": {"a": "1", "b": "2", "c": "3"},
        "manager": "tests",
        "listed": ["web"],
        "gone": [404, "NotFound"],
        "cleared": "ServiceList",
        "left": 0,
    }
    assert told["resumed"] == ["ADDED a", "ADDED b", "DELETED a", "DELETED b"]
    assert told["informed"]["seen"] == ["add before", "add after", "update after", "delete before"]
    assert told["informed"]["held"] == ["after"]
