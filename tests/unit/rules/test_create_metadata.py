"""Creating a Service: metadata and annotations that are refused, and some that are not."""

import pytest

from tests.unit.rules.builders import ALIAS, created, faults, wanted, web

LONG = "x" * 64


def port(**fields):
    return [{"port": 80, **fields}]


METADATA_REFUSED = {
    "name missing": ({**ALIAS}, {"name": ""}, ["metadata.name required"]),
    "name missing, an address wanted": (web(), {"name": ""}, ["spec.clusterIPs invalid"]),
    "name missing, headless": (web(clusterIP="None"), {"name": ""}, ["metadata.name required"]),
    "name with slash, an address wanted": (web(), {"name": "a/b"}, ["spec.clusterIPs invalid"]),
    "name of two dots, an address wanted": (web(), {"name": ".."}, ["spec.clusterIPs invalid"]),
    "name with slash": ({**ALIAS}, {"name": "a/b"}, ["metadata.name invalid"]),
    "name in capitals": (web(), {"name": "Web"}, ["metadata.name invalid"]),
    "name with dot": (web(), {"name": "a.b"}, ["metadata.name invalid"]),
    "name with underscore": (web(), {"name": "a_b"}, ["metadata.name invalid"]),
    "name begins with dash": (web(), {"name": "-a"}, ["metadata.name invalid"]),
    "name ends with dash": (web(), {"name": "a-"}, ["metadata.name invalid"]),
    "name too long": (web(), {"name": LONG}, ["metadata.name invalid"]),
    "generateName bad": (web(), {"generateName": "A_"}, ["metadata.generateName invalid"]),
    "generateName too long": (web(), {"generateName": LONG}, ["metadata.generateName invalid"]),
    "generateName only a dash": (web(), {"generateName": "-"}, ["metadata.generateName invalid"]),
    "namespace missing": (web(), {"namespace": ""}, ["metadata.namespace required"]),
    "namespace bad": (web(), {"namespace": "a_b"}, ["metadata.namespace invalid"]),
    "label key bad": (web(), {"labels": {"bad key": "x"}}, ["metadata.labels invalid"]),
    "label key prefix bad": (web(), {"labels": {"A_/x": "x"}}, ["metadata.labels invalid"]),
    "label value bad": (web(), {"labels": {"app": "bad value"}}, ["metadata.labels invalid"]),
    "label value too long": (web(), {"labels": {"app": LONG}}, ["metadata.labels invalid"]),
    "annotation key bad": (web(), {"annotations": {"bad key": "x"}}, ["metadata.annotations invalid"]),
    "annotations too large": (web(), {"annotations": {"a": "x" * (256 * 1024)}}, ["metadata.annotations long"]),
    "finalizer bad": (
        web(),
        {"finalizers": ["bad finalizer"]},
        ["metadata.finalizers invalid", "metadata.finalizers[0] invalid"],
    ),
    "finalizer without domain": (web(), {"finalizers": ["hold"]}, ["metadata.finalizers[0] invalid"]),
    "second finalizer without domain": (
        web(),
        {"finalizers": ["example.com/hold", "hold"]},
        ["metadata.finalizers[1] invalid"],
    ),
    "orphan and foregroundDeletion": (
        web(),
        {"finalizers": ["orphan", "foregroundDeletion"]},
        ["metadata.finalizers invalid"],
    ),
    "owner without anything": (
        web(),
        {"ownerReferences": [{}]},
        [
            "metadata.ownerReferences.apiVersion invalid",
            "metadata.ownerReferences.kind invalid",
            "metadata.ownerReferences.name invalid",
            "metadata.ownerReferences.uid invalid",
        ],
    ),
    "topology annotations differ": (
        web(),
        {
            "annotations": {
                "service.kubernetes.io/topology-mode": "Auto",
                "service.kubernetes.io/topology-aware-hints": "Disabled",
            }
        },
        ["metadata.annotations[service.kubernetes.io/topology-mode] invalid"],
    ),
    "source range annotation of a ClusterIP Service": (
        web(),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8"}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] forbidden"],
    ),
    "empty source range annotation of a ClusterIP Service": (
        web(),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": ""}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] forbidden"],
    ),
    "source range annotation bad": (
        web(type="LoadBalancer"),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, x"}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] invalid"],
    ),
    "metadata and spec": (
        web(ports=None),
        {"name": "a_b", "labels": {"bad key": "x"}},
        ["metadata.name invalid", "metadata.labels invalid", "spec.ports required"],
    ),
    "what cannot be had is the whole answer": (
        web(type="NodePort", ports=port(nodePort=80)),
        {"name": "a_b"},
        ["spec.ports[0].nodePort invalid"],
    ),
}


@pytest.mark.parametrize(("spec", "metadata", "lines"), METADATA_REFUSED.values(), ids=METADATA_REFUSED)
def test_metadata_is_refused(spec, metadata, lines):
    _, causes = created(spec, **metadata)
    assert faults(causes) == wanted(*lines)


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "1st"},
        {"name": "x" * 63},
        {"generateName": "web-"},
        {"generateName": "x" * 63},
        {"labels": {"example.com/app": "", "a.b/c_d": "x.y-Z"}},
        {"annotations": {"Example.com/Any-Case": "any\nvalue", "k": "x" * (256 * 1024 - 33)}},
        {"finalizers": ["kubernetes", "orphan", "example.com/hold"]},
        {"finalizers": ["foregroundDeletion"]},
        {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "D", "name": "d", "uid": "1", "controller": True}]},
        {
            "annotations": {
                "service.kubernetes.io/topology-mode": "A",
                "service.kubernetes.io/topology-aware-hints": "A",
            }
        },
    ],
)
def test_metadata_is_accepted(metadata):
    _, causes = created(web(), **metadata)
    assert faults(causes) == set()


@pytest.mark.parametrize("ranges", ["", "  ", "10.0.0.0/8", " 10.0.0.0/8 , 192.168.0.0/16 "])
def test_source_ranges_by_annotation(ranges):
    _, causes = created(
        web(type="LoadBalancer"), annotations={"service.beta.kubernetes.io/load-balancer-source-ranges": ranges}
    )
    assert faults(causes) == set()


def test_the_field_beats_the_annotation_for_source_ranges():
    _, causes = created(
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]),
        annotations={"service.beta.kubernetes.io/load-balancer-source-ranges": "nonsense"},
    )
    assert faults(causes) == set()
