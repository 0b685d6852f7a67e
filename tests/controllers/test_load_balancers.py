"""LoadBalancers: computed from Services and their slices, on get, list and watch."""

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.event import EVENT
from app.domain.declarations.load_balancer import LOAD_BALANCER
from app.domain.declarations.node import NODE
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.rules.balanced_nodes import EXCLUDED_LABEL
from tests.controllers.test_derived_kinds import Seen, closing, listed, shows, slice_of, watching
from tests.e2e.waiting import eventually


def balanced(name, **spec):
    ports = [{"name": "http", "port": 80}]
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"type": "LoadBalancer", "ports": ports, **spec},
    }


async def test_each_load_balancer_service_has_one(world):
    async with world.reconciling_everything():
        service = await world.create(SERVICE, balanced("web"))
        await world.create(SERVICE, balanced("other", loadBalancerClass="example.com/other"))
        await world.create(SERVICE, {**balanced("plain"), "spec": {"ports": [{"port": 80}]}})
        found = await world.get(LOAD_BALANCER, "web")
        address = service.status.load_balancer.ingress[0].ip
        assert [(each.address, each.pool) for each in found.spec.frontends] == [(address, "external")]
        assert [(each.frontend_port, each.protocol) for each in found.spec.rules] == [(80, "Tcp")]
        assert found.metadata.owner_references[0].uid == service.metadata.uid
        assert [name for _, name in await listed(world, LOAD_BALANCER)] == ["web"]
        assert await listed(world, LOAD_BALANCER, label_selector="app=web") != {}
        assert await listed(world, LOAD_BALANCER, field_selector="spec.loadBalancer=kubernetes-internal") == {}


async def test_a_watch_follows_the_service_and_its_members(world):
    async with world.reconciling_everything():
        await world.create(SERVICE, balanced("web"))
        with closing(await watching(world, LOAD_BALANCER)) as watch:
            seen = Seen(watch, LOAD_BALANCER)
            await shows(world, seen, LOAD_BALANCER)
            await world.create(ENDPOINT_SLICE, slice_of("one", "web", "172.16.0.1", "172.16.0.2"))
            await shows(world, seen, LOAD_BALANCER)
            assert seen.objects["default", "web"].status.members.ready == 2
            # What changes nothing of the load balancer is no event.
            await world.change(ENDPOINT_SLICE, "one", lambda obj: obj.metadata.labels.update({"note": "x"}))
            await world.change(SERVICE, "web", lambda obj: setattr(obj.spec, "session_affinity", "ClientIP"))
            await shows(world, seen, LOAD_BALANCER)
            await world.change(SERVICE, "web", lambda obj: setattr(obj.spec, "type", "ClusterIP"))
            await shows(world, seen, LOAD_BALANCER)
            assert seen.types == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]


async def told(world, name="web"):
    await world.parts.mirror.fresh()
    entries = world.parts.mirror.list(EVENT.key, "default")
    events = [decode_object(EVENT, entry.wire) for entry in entries]
    return {each.reason: each for each in events if each.involved_object.name == name}


async def test_events_tell_what_becomes_of_a_load_balancer(world):
    async with world.reconciling_everything():
        service = await world.create(SERVICE, balanced("web"))
        address = service.status.load_balancer.ingress[0].ip

        async def has(*reasons):
            return set(reasons) == (await told(world)).keys()

        await eventually(lambda: has("EnsuringLoadBalancer", "EnsuredLoadBalancer"))
        await world.change(SERVICE, "web", lambda obj: obj.metadata.labels.update({"note": "x"}))
        await world.change(SERVICE, "web", lambda obj: setattr(obj.spec, "session_affinity", "ClientIP"))
        await eventually(lambda: has("EnsuringLoadBalancer", "EnsuredLoadBalancer", "UpdatedLoadBalancer"))
        await world.delete(SERVICE, "web")
        await eventually(
            lambda: has("EnsuringLoadBalancer", "EnsuredLoadBalancer", "UpdatedLoadBalancer", "DeletedLoadBalancer")
        )
        events = await told(world)
        assert {each.type for each in events.values()} == {"Normal"}
        assert events["EnsuredLoadBalancer"].message == f"Ensured load balancer at {address}"
        assert events["UpdatedLoadBalancer"].message == f"Updated load balancer at {address}: rules"
        assert events["DeletedLoadBalancer"].involved_object.uid == service.metadata.uid


async def test_a_load_balancer_that_waits_is_ensured_when_it_has_its_address(world):
    async with world.reconciling_everything():
        subnet = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true",
                  "service.beta.kubernetes.io/azure-load-balancer-internal-subnet": "late"}  # fmt: skip
        document = balanced("web")
        document["metadata"]["annotations"] = subnet
        await world.create(SERVICE, document)

        async def has(*reasons):
            return set(reasons) <= (await told(world)).keys()

        await eventually(lambda: has("EnsuringLoadBalancer", "NoPool"))
        assert not await has("EnsuredLoadBalancer")
        pool = {"scope": "internal", "addresses": ["10.230.0.1-10.230.0.9"]}
        await world.create(ADDRESS_POOL, {"metadata": {"name": "late"}, "spec": pool})
        await eventually(lambda: has("EnsuredLoadBalancer"))
        assert '"late"' in (await told(world))["NoPool"].message


async def frontend_name(world, name):
    found = await world.get(LOAD_BALANCER, name)
    return found.spec.frontends[0].name


async def test_services_at_one_address_share_the_frontend_of_the_first(world):
    async with world.reconciling_everything():
        first = await world.create(SERVICE, balanced("b"))
        document = balanced("a", ports=[{"name": "https", "port": 443}])
        address = first.status.load_balancer.ingress[0].ip
        document["metadata"]["annotations"] = {"service.beta.kubernetes.io/azure-load-balancer-ipv4": address}
        second = await world.create(SERVICE, document)
        bases = ["a" + each.metadata.uid.replace("-", "")[:31] for each in (first, second)]
        assert [await frontend_name(world, name) for name in "ba"] == [bases[0], bases[0]]
        rule = (await world.get(LOAD_BALANCER, "a")).spec.rules[0]
        assert (rule.frontend, rule.name) == (bases[0], f"{bases[1]}-TCP-443")
        await world.delete(SERVICE, "b")
        assert await frontend_name(world, "a") == bases[1]


async def test_a_watch_follows_nodes_and_neighbours(world):
    async with world.reconciling_everything():
        await world.create(NODE, {"metadata": {"name": "n1"}})
        first = await world.create(SERVICE, balanced("a"))
        document = balanced("b", ports=[{"name": "https", "port": 443}])
        address = first.status.load_balancer.ingress[0].ip
        document["metadata"]["annotations"] = {"service.beta.kubernetes.io/azure-load-balancer-ipv4": address}
        await world.create(SERVICE, document)
        placed = slice_of("one", "b", "172.16.0.1")
        placed["endpoints"][0]["nodeName"] = "n1"
        await world.create(ENDPOINT_SLICE, placed)
        with closing(await watching(world, LOAD_BALANCER)) as watch:
            seen = Seen(watch, LOAD_BALANCER)
            await shows(world, seen, LOAD_BALANCER)
            assert seen.objects["default", "b"].status.members.total == 1
            await world.change(NODE, "n1", lambda node: setattr(node.metadata, "labels", {EXCLUDED_LABEL: ""}))
            await shows(world, seen, LOAD_BALANCER)
            assert seen.objects["default", "b"].status.members.total == 0
            before = seen.objects["default", "b"].spec.frontends[0].name
            await world.delete(SERVICE, "a")
            await shows(world, seen, LOAD_BALANCER)
            assert seen.objects["default", "b"].spec.frontends[0].name != before
