"""The table of questions, asked of Debian's servers as secondaries: all answer as the specification says."""

import contextlib

import pytest

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.service import SERVICE
from tests.dns.answering import answering
from tests.dns.secondaries import EVERY
from tests.dns.subjects import change, create, create_namespaces, wanted
from tests.dns.table import DOMAIN, Table
from tests.dns.test_table import CLUSTER_IPS, ENDPOINTS, agree
from tests.dns.transferring import KEY, configure, write_keys

ZONES = tuple(name.removesuffix(".") for name in (DOMAIN, *CLUSTER_IPS, *ENDPOINTS))


@pytest.fixture
async def secondaries(world, tmp_path):
    """A server of each kind, a secondary of each zone of the table."""
    keys = tmp_path / "keys"
    secret = write_keys(keys, KEY)[KEY]
    world.keys.path = keys
    world.keys.reload()
    async with answering(world, dns_tsig_key_file=keys) as primary:
        with contextlib.ExitStack() as stack:
            servers = [kind(tmp_path / kind.__name__, primary.port, ZONES, (KEY, secret)) for kind in EVERY]
            for server in servers:
                server.start()
                stack.callback(server.stop)
            yield servers


async def test_every_secondary_answers_as_the_table_says(world, secondaries):
    for name in ENDPOINTS:
        zone = name.removesuffix(".")
        await world.create(DNS_ZONE, {"metadata": {"name": zone}, "spec": {"name": zone, "kind": "reverse"}}, "")
    for zone in ZONES:
        await configure(world, zone, *(server.address for server in secondaries), key=KEY)
    await create_namespaces(world)
    made = [await create(world, subject, spec) for subject, spec in wanted()]
    names = (*CLUSTER_IPS, *ENDPOINTS)
    for server in secondaries:
        await agree(server, Table(made, reverse_zones=names))
    changed = [await change(world, subject, number) for number, subject in enumerate(made)]
    for server in secondaries:
        await agree(server, Table(changed, made, names))
    for subject in changed:
        await world.delete(SERVICE, subject.name, subject.namespace)
    for server in secondaries:
        await agree(server, Table((), changed, names))
