"""Resolvers in front: they answer the names and addresses of the cluster when set up as docs/dns.md has it."""

import pytest

from app.domain.declarations.service import SERVICE
from tests.dns.resolvers import EVERY_RESOLVER

DOMAIN = "default.svc.cluster.local."


@pytest.mark.parametrize("kind", EVERY_RESOLVER, ids=lambda kind: kind.__name__)
async def test_a_resolver_asks_for_names_and_addresses_of_the_cluster(world, asked, tmp_path, kind):
    made = await world.create(SERVICE, {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}})
    await asked.becomes(f"web.{DOMAIN}", "A", [made.spec.cluster_ip])
    pointer = ".".join([*reversed(made.spec.cluster_ip.split(".")), "in-addr.arpa."])
    with kind(tmp_path, asked.port) as resolver:
        await resolver.becomes(f"web.{DOMAIN}", "A", [made.spec.cluster_ip])
        assert await resolver.values(pointer, "PTR") == [f"web.{DOMAIN}"]
        assert await resolver.values(f"_http._tcp.web.{DOMAIN}", "SRV") == [f"0 100 80 web.{DOMAIN}"]
        assert await resolver.values(f"nothing.{DOMAIN}", "A") is None
        assert await resolver.values(f"web.{DOMAIN}", "AAAA") == []
