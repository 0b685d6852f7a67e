"""Who may have the configuration, and clients of the other variant of the protocol."""

import asyncio
import json

import grpc
import pytest
import trustme
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest

from app.credentials.xds_certificates import XdsCertificates
from app.main.xds import credentials_of
from app.serving.resources import CLUSTER
from app.serving.xds.planes import Planes
from app.serving.xds.server import XdsServer
from app.serving.xds.streams import DiscoveryService
from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import Control, EnvoyProcess, HandMadeViews, traffic
from tests.dataplane.test_protocol import bad_cluster, many, put_all
from tests.e2e.waiting import eventually

VIP = "127.20.0.1"


def request(name="edge", **metadata):
    found = DeltaDiscoveryRequest(type_url=CLUSTER)
    found.node.id = name
    if metadata:
        found.node.metadata.update({"fairlead": metadata})
    return found


async def first_answer(channel, asked):
    async with channel:
        call = AggregatedDiscoveryServiceStub(channel).DeltaAggregatedResources()
        try:
            await call.write(asked)
            answer = await call.read()
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details()
        except asyncio.InvalidStateError:  # the call ended while it was written to
            return await call.code(), await call.details()
        call.cancel()
        return grpc.StatusCode.OK, answer.type_url


@pytest.fixture
async def control(directory):
    async with Control(directory / "xds") as found:
        yield found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (request(name=""), "node.id"),
        (request(name="Edge_1"), "node.id"),
        (request(scopes=["outside"]), "scopes must be of internal, external"),
        (request(scopes="internal"), "scopes must be a list"),
        (request(pools=[1]), "pools must be a list"),
        (request(node="N_1"), "node must be the name of a Node"),
        (request(nodeAddresses=["here"]), "nodeAddresses must be IP addresses"),
        (request(zones=["a"]), "zones is unknown: use scopes, pools, node, nodeAddresses"),
    ],
)
async def test_an_envoy_that_says_something_wrong_of_itself_is_told_so(control, asked, said):
    code, details = await first_answer(grpc.aio.insecure_channel(f"unix:{control.socket}"), asked)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert said in details


async def test_only_clients_with_a_certificate_are_served(tmp_path):
    authority, stranger = trustme.CA(), trustme.CA()
    files = [tmp_path / name for name in ("crt", "key", "ca")]
    issued = authority.issue_cert("127.0.0.1", "localhost")
    files[0].write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    certificates = XdsCertificates(*files)
    server = XdsServer(DiscoveryService(HandMadeViews(), Planes(), lambda: ""))
    port = server.listen("127.0.0.1:0", credentials_of(certificates))
    await server.start()

    async def ask(client):
        chain = b"".join(each.bytes() for each in client.cert_chain_pems) if client else None
        key = client.private_key_pem.bytes() if client else None
        channel = grpc.aio.secure_channel(
            f"localhost:{port}", grpc.ssl_channel_credentials(authority.cert_pem.bytes(), key, chain)
        )
        return (await first_answer(channel, request()))[0]

    mine = authority.issue_cert("edge.example.org")
    assert await ask(mine) == grpc.StatusCode.OK
    assert await ask(None) == grpc.StatusCode.UNAVAILABLE
    assert await ask(stranger.issue_cert("edge.example.org")) == grpc.StatusCode.UNAVAILABLE
    assert (await first_answer(grpc.aio.insecure_channel(f"localhost:{port}"), request()))[0] != grpc.StatusCode.OK

    # Another authority takes effect with the next handshake.
    stranger.cert_pem.write_to_path(files[2])
    certificates.reload()
    assert await ask(stranger.issue_cert("edge.example.org")) == grpc.StatusCode.OK
    assert await ask(mine) == grpc.StatusCode.UNAVAILABLE
    await server.stop()


async def test_a_client_of_state_of_the_world_is_served_in_full(control, directory, port):
    envoy = EnvoyProcess(directory, control.socket)
    document = json.loads(envoy.file.read_text())
    document["dynamic_resources"]["ads_config"]["api_type"] = "GRPC"
    envoy.file.write_text(json.dumps(document))
    async with envoy, Backend("one") as one, Backend("two") as two:
        owner = ("shop", "bad")
        put_all(control, many(one, port + 3_000, 10), bad_cluster(owner))
        plane = await control.taken()

        async def is_blamed():
            return {who for who, _ in plane.session.refused().values()} == {owner}

        await eventually(is_blamed)
        control.views.put_resources((), owner)
        await control.put(traffic([(VIP, port)], [one]))
        assert await greeting(VIP, port) == "one"
        assert await greeting("127.20.1.1", port + 3_000) == "one"
        await control.put(traffic([(VIP, port)], [two]))

        async def is_two():
            return await greeting(VIP, port) == "two"

        await eventually(is_two)
        control.views.put_resources(())

        async def is_gone():
            return await greeting(VIP, port) is None

        await eventually(is_gone)
        assert await greeting("127.20.1.1", port + 3_009) == "one"
