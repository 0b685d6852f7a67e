"""What is answered about Services, as they come, change and go."""

from ipaddress import ip_address

from app.domain.declarations.service import SERVICE

DOMAIN = "default.svc.cluster.local."


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}], **spec}}


async def test_a_service_has_its_names_as_soon_as_it_is_there(world, asked):
    assert await asked.values(f"web.{DOMAIN}") is None
    made = await world.create(SERVICE, service("web", ipFamilyPolicy="RequireDualStack"))
    ipv4, ipv6 = made.spec.cluster_ips
    await asked.becomes(f"web.{DOMAIN}", "A", [ipv4])
    assert await asked.values(f"web.{DOMAIN}", "AAAA") == [ipv6]
    assert await asked.values(f"_http._tcp.web.{DOMAIN}", "SRV") == [f"0 100 80 web.{DOMAIN}"]
    for address in (ipv4, ipv6):
        reverse = ip_address(address).reverse_pointer
        assert await asked.values(f"{reverse}.", "PTR") == [f"web.{DOMAIN}"]
    assert await asked.values(f"web.{DOMAIN}", "TXT") == []
    assert await asked.values(f"_tcp.web.{DOMAIN}", "A") == []
    assert await asked.values(DOMAIN, "A") == []
    assert await asked.values(f"other.web.{DOMAIN}", "A") is None
    await world.delete(SERVICE, "web")
    await asked.becomes(f"web.{DOMAIN}", "A", None)
    for name, kind in ((f"_http._tcp.web.{DOMAIN}", "SRV"), (f"_tcp.web.{DOMAIN}", "A"), (f"{reverse}.", "PTR")):
        assert await asked.values(name, kind) is None
