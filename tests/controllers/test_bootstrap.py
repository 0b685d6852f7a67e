"""What is there from the start, whoever is first to create it."""

import asyncio

import structlog
from structlog.testing import capture_logs

from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.startup.bootstrap import InitialObjects


async def test_processes_that_start_together_agree_without_a_complaint(world, monkeypatch):
    surroundings = InitialObjects(["10.96.0.0/16"], 6443)
    monkeypatch.setattr("app.startup.bootstrap._log", structlog.get_logger())
    with capture_logs() as logged:
        await asyncio.gather(*(surroundings.ensure(world.registry) for _ in range(4)))
    assert [line["name"] for line in logged if line["event"] == "created" and line["kind"] == "Service"] == [
        "kubernetes"
    ]
    assert [line for line in logged if line["log_level"] == "warning"] == []
    assert (await world.get(SERVICE, "kubernetes")).spec.cluster_ip == "10.96.0.1"


async def test_processes_that_start_together_with_other_settings_adapt_what_is_there(world):
    await InitialObjects(["10.96.0.0/16"], 6443).ensure(world.registry)
    surroundings = InitialObjects(["10.96.0.0/16", "fd00:10:96::/112"], 8443)
    await asyncio.gather(*(surroundings.adapt(world.registry) for _ in range(4)))
    assert (await world.get(SERVICE, "kubernetes")).spec.ports[0].target_port == 8443
    assert (await world.get(SERVICE_CIDR, "kubernetes", "")).spec.cidrs == ["10.96.0.0/16", "fd00:10:96::/112"]
