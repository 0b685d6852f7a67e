"""The table of questions, asked of Debian's servers as secondaries: all answer as the specification says."""

import contextlib

import pytest

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.service import SERVICE
from tests.dns.answering import answering
from tests.dns.secondaries import EVERY, Bind
from tests.dns.subjects import change, create, create_namespaces, wanted
from tests.dns.table import DOMAIN, Table
from tests.dns.test_table import CLUSTER_IPS, ENDPOINTS, agree
from tests.dns.transferring import KEY, configure, write_keys

MANY_QUESTIONS = 3000
ZONES = tuple(name.removesuffix(".") for name in (DOMAIN, *CLUSTER_IPS, *ENDPOINTS))


@contextlib.asynccontextmanager
async def serving(world, tmp_path, kinds):
    """The DNS server of the world, and a secondary of each kind for each zone of the table."""
    keys = tmp_path / "keys"
    secret = write_keys(keys, KEY)[KEY]
    world.keys.path = keys
    world.keys.reload()
    async with answering(world, dns_tsig_key_file=keys) as primary:
        with contextlib.ExitStack() as stack:
            servers = [kind(tmp_path / kind.__name__, primary.port, ZONES, (KEY, secret)) for kind in kinds]
            for server in servers:
                server.start()
                stack.callback(server.stop)
            for name in ENDPOINTS:
                zone = name.removesuffix(".")
                await world.create(
                    DNS_ZONE, {"metadata": {"name": zone}, "spec": {"name": zone, "kind": "reverse"}}, ""
                )
            for zone in ZONES:
                await configure(world, zone, *(server.address for server in servers), key=KEY)
            yield primary, servers


async def follow_the_table(world, servers, rounds=1):
    """Services are made, changed and deleted, and each server answers each time as the table says; answers its size."""
    await create_namespaces(world)
    made = [await create(world, subject, spec) for subject, spec in wanted(rounds)]
    names = (*CLUSTER_IPS, *ENDPOINTS)
    table = Table(made, reverse_zones=names)
    for server in servers:
        await agree(server, table)
    changed = [await change(world, subject, number) for number, subject in enumerate(made)]
    for server in servers:
        await agree(server, Table(changed, made, names))
    for subject in changed:
        await world.delete(SERVICE, subject.name, subject.namespace)
    for server in servers:
        await agree(server, Table((), changed, names))
    return len(table.questions)


async def test_every_secondary_answers_as_the_table_says(world, tmp_path):
    async with serving(world, tmp_path, EVERY) as (_, secondaries):
        await follow_the_table(world, secondaries)


@pytest.mark.soak
async def test_three_thousand_questions_have_the_same_answers_here_and_from_bind(world, tmp_path):
    async with serving(world, tmp_path, [Bind]) as (primary, secondaries):
        assert await follow_the_table(world, [primary, *secondaries], rounds=4) > MANY_QUESTIONS
