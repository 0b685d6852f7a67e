"""Namespaces with many Services come and go: a transfer has what SQL says, nothing stale and nothing missing."""

import json

import asyncpg
import dns.exception
import msgspec
import pytest

from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness
from app.domain.user import ITSELF
from app.registry.bulk_preparation import BulkOptions, RawItem
from app.registry.options import WriteOptions
from tests.dns.answering import answering
from tests.dns.secondaries import EVERY
from tests.dns.table import Subject, records_of
from tests.dns.transferring import configure, records, transferred
from tests.e2e.waiting import eventually

ZONE = "cluster.local"
OPTIONS = BulkOptions(WriteOptions(user=ITSELF, field_manager="tests"), Strictness.STRICT)
AT_ONCE = 2_000
WITHIN = 600


def service(number, namespace):
    """One of the four types, or headless, in turn."""
    spec = [
        {"type": "ClusterIP"},
        {"type": "NodePort"},
        {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False},  # there are not so many
        {"type": "ExternalName", "externalName": f"s{number - 1}.{namespace}.svc.cluster.local"},
        {"clusterIP": "None"},
    ][number % 5]
    if number % 5 != 3:
        spec["ports"] = [{"name": "http", "port": 80}]
    metadata = {"name": f"s{number}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


async def create_all(world, namespace, services):
    await world.create(NAMESPACE, {"metadata": {"name": namespace}}, "")
    for first in range(0, services, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, services))
        items = [RawItem(msgspec.json.encode(service(number, namespace))) for number in numbers]
        await world.registry.apply(items, OPTIONS)


async def by_sql(url):
    """Name, type and value of all records in the cluster's zone that follow from what is stored."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT body FROM objects WHERE kind = $1 AND published", SERVICE.key)
    finally:
        await connection.close()
    found = set()
    for row in rows:
        stored = json.loads(row["body"])
        metadata, spec = stored["metadata"], stored["spec"]
        addresses = tuple(each for each in spec.get("clusterIPs", ()) if each != "None")
        ports = tuple((port.get("name", ""), port["protocol"], port["port"]) for port in spec.get("ports", ()))
        target = f"{spec['externalName']}." if spec["type"] == "ExternalName" else ""
        found |= records_of(Subject(metadata["name"], metadata["namespace"], addresses, ports, target=target))
    return {each for each in found if each[1] != "PTR"}


async def agree(asked, url):
    """Wait until a transfer has just what SQL says."""

    async def same():
        try:
            copy = {(name, kind, value) for name, kind, _, value in records(await transferred(asked, ZONE))}
        except (OSError, EOFError, dns.exception.DNSException):
            # A secondary has no copy before its first transfer.
            return False
        return {each for each in copy if ".svc." in each[0]} == await by_sql(url)

    await eventually(same, WITHIN)


@pytest.mark.parametrize("services", [150, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_nothing_is_stale_and_nothing_is_missing(world, database_url, services):
    async with answering(world) as asked:
        await configure(world, ZONE, anybody=True)
        await create_all(world, "staying", 10)
        await create_all(world, "going", services)
        await agree(asked, database_url)
        alias, target = "s3.going.svc.cluster.local.", "s2.going.svc.cluster.local."
        assert await asked.values(alias, "A") == await asked.values(target, "A") != []
        await world.delete(NAMESPACE, "going", "")
        await eventually(lambda: is_gone(world), WITHIN)
        await agree(asked, database_url)
        for name in (alias, target, "going.svc.cluster.local."):
            assert await asked.values(name, "A") is None
        assert await asked.values("staying.svc.cluster.local.", "A") == []


@pytest.mark.soak
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
async def test_a_secondary_has_ten_thousand_services_and_forgets_them(world, database_url, tmp_path, kind):
    async with answering(world) as primary:
        secondary = kind(tmp_path / "secondary", primary.port, [ZONE])
        await configure(world, ZONE, secondary.address)
        await create_all(world, "staying", 10)
        await create_all(world, "going", 10_000)
        secondary.start()
        try:
            await agree(secondary, database_url)
            await world.delete(NAMESPACE, "going", "")
            await eventually(lambda: is_gone(world), WITHIN)
            await agree(secondary, database_url)
        finally:
            secondary.stop()


async def is_gone(world):
    return await world.get(NAMESPACE, "going", "") is None
