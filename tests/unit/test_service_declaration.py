"""The declaration of Service: how it is found, selected and shown."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import ALIAS, DUAL, created, web

HOUR_LATER = "2026-01-02T04:04:05Z"


def test_identity():
    assert (SERVICE.key, SERVICE.api_version, SERVICE.singular, SERVICE.short_names) == (
        "services",
        "v1",
        "service",
        ("svc",),
    )
    assert SERVICE.namespaced
    assert SERVICE.has_status
    assert SERVICE.create_on_update
    assert SERVICE.delete_returns_object
    assert SERVICE.categories == ("all",)
    assert SERVICE.name_rule == "dns_label"


def test_columns():
    assert [(column.name, column.priority) for column in SERVICE.columns] == [
        ("Name", 0),
        ("Type", 0),
        ("Cluster-IP", 0),
        ("External-IP", 0),
        ("Port(s)", 0),
        ("Age", 0),
        ("Selector", 1),
    ]


def points(*values):
    return [
        LoadBalancerIngress(ip=value) if value[0].isdigit() else LoadBalancerIngress(hostname=value) for value in values
    ]


@pytest.mark.parametrize(
    ("spec", "ingress", "cells"),
    [
        (
            web(clusterIP="10.96.0.9"),
            [],
            ["web", "ClusterIP", "10.96.0.9", "<none>", "80/TCP", "60m", "app=x"],
        ),
        (
            web(clusterIP="10.96.0.9", externalIPs=["1.2.3.4", "5.6.7.8"], selector={"b": "2", "a": "1"}),
            [],
            ["web", "ClusterIP", "10.96.0.9", "1.2.3.4,5.6.7.8", "80/TCP", "60m", "a=1,b=2"],
        ),
        (
            web(clusterIP="None", ports=None, selector=None),
            [],
            ["web", "ClusterIP", "None", "<none>", "<none>", "60m", "<none>"],
        ),
        (
            web(
                type="NodePort",
                clusterIP="10.96.0.9",
                ports=[
                    {"name": "a", "port": 80, "nodePort": 30080},
                    {"name": "b", "port": 53, "protocol": "UDP"},
                ],
            ),
            [],
            ["web", "NodePort", "10.96.0.9", "<none>", "80:30080/TCP,53/UDP", "60m", "app=x"],
        ),
        (
            web(type="LoadBalancer", clusterIP="10.96.0.9"),
            [],
            ["web", "LoadBalancer", "10.96.0.9", "<pending>", "80/TCP", "60m", "app=x"],
        ),
        (
            web(type="LoadBalancer", clusterIP="10.96.0.9", externalIPs=["9.9.9.9"]),
            points("1.2.3.4", "a.example.com"),
            ["web", "LoadBalancer", "10.96.0.9", "1.2.3.4,a.example.com,9.9.9.9", "80/TCP", "60m", "app=x"],
        ),
        (
            web(),
            [],
            ["web", "ClusterIP", "<pending>", "<none>", "80/TCP", "60m", "app=x"],
        ),
        (
            {**ALIAS, "externalIPs": ["1.2.3.4"]},
            [],
            ["web", "ExternalName", "<none>", "db.example.com", "<none>", "60m", "<none>"],
        ),
        (
            web(type="Unheard", clusterIP="10.96.0.9"),
            [],
            ["web", "Unheard", "10.96.0.9", "<unknown>", "80/TCP", "60m", "app=x"],
        ),
    ],
)
def test_cells(spec, ingress, cells):
    service, _ = created(spec, creationTimestamp="2026-01-02T03:04:05Z")
    service.status.load_balancer.ingress = ingress or None
    assert [column.cell(service, HOUR_LATER) for column in SERVICE.columns] == cells


def test_both_addresses_have_one_primary():
    both = web(clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9", "10.96.0.9"], ipFamilyPolicy="PreferDualStack")
    service, causes = created(both, DUAL)
    assert causes == []
    assert SERVICE.columns[2].cell(service, HOUR_LATER) == "fd00:10:96::9"


def test_selectable_fields():
    service, _ = created(web(clusterIP="10.96.0.9"))
    assert {name: read(service) for name, read in SERVICE.selectable.items()} == {
        "spec.clusterIP": "10.96.0.9",
        "spec.type": "ClusterIP",
    }
