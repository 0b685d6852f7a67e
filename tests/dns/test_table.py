"""The table of questions, asked while Services are there, after they have changed, and after they have gone."""

import pytest

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from tests.dns.subjects import NAMESPACES, change, create, create_namespaces, wanted
from tests.dns.table import Table, differences
from tests.e2e.waiting import eventually

CLUSTER_IPS = ("96.10.in-addr.arpa.", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.")
ENDPOINTS = ("20.10.in-addr.arpa.", "0.2.0.0.0.0.d.f.ip6.arpa.")
LEAST_QUESTIONS = 1000
WITHIN = 120
"""Seconds; on a machine that has other things to do, a server may take some of them for one transfer."""


async def wrong_answers(asked, table):
    """What is wrong with the answers of a server, none if nothing is."""
    found = []
    # Over TCP, so that no answer is cut off.
    for (name, kind), response in zip(table.questions, await asked.ask_all(table.questions), strict=True):
        told = differences(response, table.answer(name, kind), table.zone_of(name.lower()))
        found += [f"{name} {kind}: {each}" for each in told]
    return found


async def agree(asked, table):
    """Wait until a server answers as the table says."""
    wrong = []

    async def agreed():
        try:
            wrong[:] = await wrong_answers(asked, table)
        except (OSError, EOFError) as error:
            # It has just been started, or closes what is open while it takes in zones or its client is slow.
            wrong[:] = [f"{asked.host}:{asked.port} does not answer: {error!r}"]
        return not wrong

    try:
        await eventually(agreed, timeout=WITHIN)
    except AssertionError:
        pytest.fail("\n".join(wrong[:20]))


async def test_the_table_is_answered_while_services_are_made_changed_and_gone(world, asked):
    for name in ENDPOINTS:
        zone = name.removesuffix(".")
        await world.create(DNS_ZONE, {"metadata": {"name": zone}, "spec": {"name": zone, "kind": "reverse"}}, "")
    await create_namespaces(world)
    made = [await create(world, subject, spec) for subject, spec in wanted()]
    zones = (*CLUSTER_IPS, *ENDPOINTS)
    table = Table(made, reverse_zones=zones)
    assert len(table.questions) > LEAST_QUESTIONS
    await agree(asked, table)

    changed = [await change(world, subject, number) for number, subject in enumerate(made)]
    await agree(asked, Table(changed, made, zones))

    rest = changed[1::2]
    for subject in changed[::2]:
        await world.delete(SERVICE, subject.name, subject.namespace)
    await agree(asked, Table(rest, changed, zones))

    for name in NAMESPACES:
        await world.delete(NAMESPACE, name, "")
    for name in NAMESPACES:
        await world.gone(NAMESPACE, name, "")
    await agree(asked, Table((), changed, zones))
