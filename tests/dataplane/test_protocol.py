"""What an Envoy is sent and in which order, what it refuses, and what it knows after it was away: with a real one."""

import asyncio
import socket

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener as ListenerMessage
from google.protobuf.duration_pb2 import Duration

from app.serving.envoy.traffic import resources_of
from app.serving.resources import ASSIGNMENT, CLUSTER, LISTENER, TYPES, resource
from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import QUICK_PROBE, EnvoyProcess, eventually_listening, traffic, until_greeted
from tests.e2e.waiting import eventually

VIP = "127.20.0.1"
GOOD = 100


def many(backend, first_port, count=GOOD):
    """Services with a listener each, by owner."""
    return {
        ("shop", f"good-{number}"): traffic(
            [("127.20.1.1", first_port + number)], [backend], name=f"shop/good-{number}/TCP/80"
        )
        for number in range(count)
    }


def put_all(control, traffics, *bad):
    """One change with many Services, and with resources that an Envoy does not take."""
    view, views = control.views.only, control.views
    views.revision += 1
    for owner, each in traffics.items():
        view.replace(owner, resources_of(each, owner, embedded=True), views.revision)
    for found in bad:
        view.replace(found[0].owner, found, views.revision)
    view.reach(views.revision)


def bad_cluster(owner):
    """Envoy's own check refuses it, with its name."""
    message = Cluster(
        name="shop/bad/TCP/80",
        type=Cluster.EDS,
        lb_policy=Cluster.CLUSTER_PROVIDED,
        connect_timeout=Duration(seconds=1),
    )
    return [resource(CLUSTER, message.name, message, owner)]


def malformed_cluster(owner):
    """Breaks a constraint of the message: then nothing of a response is taken, and nobody is named."""
    message = Cluster(name="shop/bad/TCP/80", connect_timeout=Duration(seconds=-1))
    return [resource(CLUSTER, message.name, message, owner)]


def bad_listener(owner):
    message = ListenerMessage(name="TCP/127.20.0.9/80")
    message.address.socket_address.address, message.address.socket_address.port_value = "127.20.0.9", 80
    return [resource(LISTENER, message.name, message, owner)]


def bad_endpoint(owner):
    found = list(resources_of(traffic([("127.20.0.9", 20_999)], [], name="shop/bad/TCP/80"), owner, embedded=True))
    message = ClusterLoadAssignment(cluster_name="shop/bad/TCP/80")
    address = message.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    address.address, address.port_value = "not an address", 80
    return [each for each in found if each.type_url != ASSIGNMENT] + [
        resource(ASSIGNMENT, message.cluster_name, message, owner)
    ]


async def check_isolated(plane, port, bad, type_url):
    control, _ = plane
    owner = ("shop", "bad")
    async with Backend("one") as one:
        services = many(one, port + 2_000)
        put_all(control, services, bad(owner))
        listeners = [each for service in services.values() for each in service.listeners]
        await eventually_listening(listeners)
        for each in listeners:
            await until_greeted(each.address, each.port, "one")

        async def is_alone():
            current = await control.taken()
            return current.session.refused()

        refused = await eventually(is_alone)
        assert {(type_, owner) for (type_, _), (owner, _) in refused.items()} == {(type_url, owner)}
        assert all(message for _, message in refused.values())


async def test_one_bad_cluster_among_100_good_ones(plane, port):
    await check_isolated(plane, port, bad_cluster, CLUSTER)


async def test_one_malformed_cluster_among_100_good_ones(plane, port):
    await check_isolated(plane, port + 100, malformed_cluster, CLUSTER)


async def test_one_bad_listener_among_100_good_ones(plane, port):
    await check_isolated(plane, port + 200, bad_listener, LISTENER)


async def test_one_bad_endpoint_among_100_good_ones(plane, port):
    await check_isolated(plane, port + 300, bad_endpoint, ASSIGNMENT)


async def test_what_was_refused_is_taken_once_it_is_mended(plane, port):
    control, _ = plane
    owner = ("shop", "bad")
    put_all(control, {}, bad_cluster(owner))
    plane_now = await control.taken()

    async def is_refused():
        return plane_now.session.refused()

    await eventually(is_refused)
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one], name="shop/bad/TCP/80"), owner)
        assert await greeting(VIP, port) == "one"
        assert not plane_now.session.refused()


async def test_a_port_that_is_taken_is_had_once_it_is_free(plane, port):
    control, _ = plane
    async with Backend("one") as one:
        with socket.create_server((VIP, port)):
            control.views.put(traffic([(VIP, port)], [one]))
            current = await control.taken()

            async def is_refused():
                return current.session.refused()

            ((_, message),) = (await eventually(is_refused)).values()
            assert "cannot bind" in message
        await until_greeted(VIP, port, "one")

        async def is_taken():
            return not current.session.refused()

        await eventually(is_taken)


async def test_a_changed_cluster_leaves_no_gap(plane, port):
    control, _ = plane
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one], probing=QUICK_PROBE))
        changing = True

        async def connect():
            answers = []
            while changing:
                answers.append(await greeting(VIP, port))
            return answers

        client = asyncio.create_task(connect())
        for version in (1, 0, 2, 0):
            await control.put(traffic([(VIP, port)], [one], probing=QUICK_PROBE, proxy_protocol=version))
        await control.put(traffic([(VIP, port)], [one], probing=None))
        changing = False
        assert set(await client) == {"one"}


async def test_members_and_clusters_change_under_an_established_connection(plane, port):
    control, _ = plane
    async with Backend("one") as one, Backend("two") as two:
        await control.put(traffic([(VIP, port)], [one]))
        reader, writer = await asyncio.open_connection(VIP, port)
        assert await reader.readline() == b"one\n"
        await control.put(traffic([(VIP, port)], [one, two], probing=QUICK_PROBE))
        await control.put(traffic([(VIP, port)], [two], probing=QUICK_PROBE))
        await until_greeted(VIP, port, "two")
        writer.write(b"still there?\n")
        assert await reader.readline() == b"still there?\n"
        writer.close()


async def test_an_address_goes_from_one_service_to_another(plane, port):
    control, _ = plane
    async with Backend("one") as one, Backend("two") as two:
        await control.put(traffic([(VIP, port)], [one]))
        view, views = control.views.only, control.views
        # Whichever of the two is looked at first.
        views.revision += 1
        other = ("shop", "other")
        found = traffic([(VIP, port)], [two], name="shop/other/TCP/80")
        view.replace(other, resources_of(found, other, embedded=True), views.revision)
        view.replace(("shop", "web"), (), views.revision)
        view.reach(views.revision)
        await control.taken()
        await until_greeted(VIP, port, "two")


async def test_what_goes_is_let_go(plane, port):
    control, envoy = plane
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one]))
        views = control.views
        views.revision += 1
        views.only.replace(("shop", "web"), (), views.revision)
        views.only.reach(views.revision)
        await control.taken()

        async def is_gone():
            return "shop/web/TCP/80" not in await envoy.clusters() and await greeting(VIP, port) is None

        await eventually(is_gone)


async def test_an_envoy_that_connects_again_is_sent_only_what_changed(plane, port):
    control, _ = plane
    async with Backend("one") as one, Backend("two") as two:
        services = many(one, port + 2_500, 20)
        put_all(control, services)
        before = (await control.taken()).session
        await control.server.stop()
        changed, (owner, _) = traffic([(VIP, port)], [two]), next(iter(services.items()))
        control.views.put(changed)
        control.views.put_resources((), owner)
        await control.start()

        async def is_back():
            current = control.planes.by_name.get("edge")
            return current and current.session is not before and current.session.watermark() == control.views.revision

        await eventually(is_back)
        await until_greeted(VIP, port, "two")
        sent = control.planes.by_name["edge"].bytes_sent
        whole = sum(len(each.body) for type_ in TYPES for each in control.views.only.resources[type_].values())
        assert sent < whole / 4


async def test_established_connections_outlive_the_server(plane, port):
    control, _ = plane
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one]))
        reader, writer = await asyncio.open_connection(VIP, port)
        assert await reader.readline() == b"one\n"
        await control.server.stop()
        writer.write(b"alone\n")
        assert await reader.readline() == b"alone\n"
        assert await greeting(VIP, port) == "one"
        writer.close()


async def test_no_statistics_are_kept_of_a_service(plane, port):
    control, envoy = plane
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one]))
        assert await greeting(VIP, port) == "one"
    kept = {line.split(".")[0] for line in (await envoy.admin("/stats")).text.splitlines()}
    assert kept == {"cluster_manager", "control_plane", "listener_manager", "server"}


async def test_a_second_envoy_does_not_share_the_ports_of_the_first_unnoticed(plane, directory, port):
    control, first = plane
    async with Backend("one") as one:
        await control.put(traffic([(VIP, port)], [one]))
        async with EnvoyProcess(directory, control.socket, name="second"):
            current = await control.taken("second")

            async def is_refused():
                return current.session.refused()

            ((_, message),) = (await eventually(is_refused)).values()
            assert "cannot bind" in message
            first.stop()
            await until_greeted(VIP, port, "one")


async def test_two_envoys_are_served_and_each_counts_for_itself(plane, directory):
    control, _ = plane
    async with Backend("one") as one, EnvoyProcess(directory, control.socket, name="second"):
        control.views.put(traffic([], [one]))
        for name in ("edge", "second"):
            assert (await control.taken(name)).session.watermark() == 1
