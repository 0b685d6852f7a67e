"""Strategies for documents: any JSON, and Services as clients send them."""

import copy

from hypothesis import strategies as st

from app.domain.errors import ApiError

NAMES = st.sampled_from(["a", "b", "example.com/c", "kubernetes.io/name"])
TEXT = st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | TEXT
)
ANY_JSON = st.recursive(SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXT, part, max_size=4))
STRING_MAPS = st.dictionaries(NAMES, TEXT, max_size=3)
TYPES = st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
PORTS = st.lists(
    st.fixed_dictionaries(
        {"port": st.integers(1, 6), "protocol": st.sampled_from(["TCP", "UDP"])},
        optional={"name": NAMES, "targetPort": st.integers(1, 9) | NAMES, "nodePort": st.integers(30000, 30003)},
    ),
    max_size=4,
    unique_by=lambda port: (port["port"], port["protocol"]),
)
METADATA = st.fixed_dictionaries(
    {"name": st.just("web")},
    optional={
        "labels": STRING_MAPS,
        "annotations": STRING_MAPS,
        "finalizers": st.lists(NAMES, max_size=3, unique=True),
        "ownerReferences": st.lists(
            st.fixed_dictionaries(
                {"apiVersion": st.just("v1"), "kind": NAMES, "name": NAMES, "uid": NAMES},
                optional={"controller": st.booleans()},
            ),
            max_size=2,
            unique_by=lambda reference: reference["uid"],
        ),
    },
)
SPEC = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES,
        "ports": PORTS,
        "selector": STRING_MAPS,
        "externalIPs": st.lists(st.sampled_from(["1.1.1.1", "2.2.2.2"]), max_size=3),
        "sessionAffinityConfig": st.just({"clientIP": {"timeoutSeconds": 5}}) | st.just({}),
        "publishNotReadyAddresses": st.booleans(),
        "healthCheckNodePort": st.integers(0, 3),
    },
)
SERVICES = st.builds(
    lambda metadata, spec: {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, METADATA, SPEC
)


def attempt(call):
    """What a call answers and the error it raises instead; anything but an ApiError is a defect."""
    try:
        return call(), None
    except ApiError as error:
        return None, error


def without_zeros(value):
    """A document without the values that are left out when the object is stored."""
    if isinstance(value, dict):
        kept = {name: without_zeros(part) for name, part in value.items()}
        return {name: part for name, part in kept.items() if part not in (0, "", {}, [])}
    return [without_zeros(part) for part in value] if isinstance(value, list) else value


@st.composite
def spoilt_services(draw):
    """A Service with something unexpected at a random place.

    Examples share what strategies such as `just` hold, so only a copy may be changed.
    """
    document = copy.deepcopy(draw(SERVICES))
    place = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys)) if keys else None
        deeper = key is not None and isinstance(place[key], dict | list) and place[key]
        if not deeper or draw(st.booleans()):
            break
        place = place[key]
    if isinstance(place, dict):
        place[draw(TEXT | st.sampled_from(keys or ["x"]))] = draw(ANY_JSON)
    else:
        place.append(draw(ANY_JSON))
    return document
