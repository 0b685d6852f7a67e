"""Real Envoys on a real xDS server, whose resources a test sets by hand."""

import contextlib
import json
import signal
import subprocess

import httpx
import psutil

from app.domain.wanted.traffic import Backend, Listener, Member, PlaneProfile, Probing, Traffic
from app.serving.envoy.traffic import resources_of
from app.serving.xds.planes import Planes
from app.serving.xds.server import XdsServer
from app.serving.xds.streams import DiscoveryService
from app.serving.xds.view import View
from app.supervisor.envoy import bootstrap, envoy_command
from tests.dataplane.backends import greeting
from tests.e2e.waiting import eventually

OWNER = ("shop", "web")


class HandMadeViews:
    """One view for every profile, filled by the test."""

    def __init__(self):
        self.only = View()
        self.revision = 0

    async def view(self, _profile):
        return self.only

    def put(self, traffic, owner=OWNER):
        """Give a Service other traffic."""
        self.put_resources(resources_of(traffic, owner, embedded=True), owner)

    def put_resources(self, resources, owner=OWNER):
        self.revision += 1
        self.only.replace(owner, resources, self.revision)
        self.only.reach(self.revision)


class Control:
    """The xDS server of a test.

    Attributes:
        views: What it serves.
        planes: The Envoys that are connected.
    """

    def __init__(self, socket):
        self.socket = socket
        self.views = HandMadeViews()
        self.planes = Planes()

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.server.stop()

    async def start(self):
        self.server = XdsServer(DiscoveryService(self.views, self.planes, lambda: "2026-01-01T00:00:00Z"))
        self.server.listen_on(self.socket)
        await self.server.start()

    async def taken(self, name="edge"):
        """Wait until an Envoy has taken everything, or refused it."""

        async def is_current():
            plane = self.planes.by_name.get(name)
            return plane is not None and plane.session.watermark() == self.views.revision and plane

        return await eventually(is_current)

    async def put(self, traffic, owner=OWNER, name="edge"):
        """Give a Service other traffic, and wait until the Envoy has it."""
        self.views.put(traffic, owner)
        plane = await self.taken(name)
        # To take a listener is not to listen yet.
        await eventually_listening([each for each in traffic.listeners if each.sources])
        return plane


class EnvoyProcess:
    """An Envoy of a test's own."""

    def __init__(self, directory, server, name="edge", drain_seconds=600, metadata=None, command=()):
        self.name = name
        self.admin_socket = directory / f"{name}.admin"
        self.log = directory / f"{name}.log"
        self.file = directory / f"{name}.json"
        self.file.write_text(bootstrap(name, metadata or {}, server, self.admin_socket))
        self._command = [*command, *envoy_command(self.file, drain_seconds=drain_seconds, concurrency=1)]

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, process_group=0)

    def stop(self, signum=signal.SIGKILL):
        self.process.send_signal(signum)
        self.process.wait()

    async def __aenter__(self):
        self.start()
        return self

    async def __aexit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    async def admin(self, path):
        """What its admin interface answers."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.admin_socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://envoy") as client:
            return await client.get(path)

    async def clusters(self):
        """The state of each member by cluster and address."""
        answer = json.loads((await self.admin("/clusters?format=json")).text)
        return {
            each["name"]: {_place(host): host["health_status"] for host in each.get("host_statuses", [])}
            for each in answer["cluster_statuses"]
        }


def _place(host):
    address = host["address"].get("socket_address", {})
    return f"{address.get('address')}:{address.get('port_value')}"


def traffic(listeners, members, name="shop/web/TCP/80", protocol="TCP", probing=None, sources=None, **more):
    """The traffic of one port: listeners as (address, port), members as backends or `Member`."""
    found = tuple(each if isinstance(each, Member) else Member("127.0.0.1", each.port, each.port) for each in members)
    affinity = more.get("affinity", False)
    everybody = ("0.0.0.0/0", "::/0") if sources is None else tuple(sources)
    idle = more.pop("idle_timeout", 240)
    backend = Backend(name=name, protocol=protocol, members=found, probing=probing, **more)
    doors = tuple(
        Listener(
            address=address,
            port=port,
            protocol=protocol,
            backend=name,
            sources=everybody,
            idle_timeout=idle,
            affinity=affinity,
        )
        for address, port in listeners
    )
    return Traffic((backend,), doors)


TCP_PROBE = Probing("Tcp", "", 5, 2)
QUICK_PROBE = Probing("Tcp", "", 1, 2)
EMBEDDED = PlaneProfile(embedded=True)


@contextlib.asynccontextmanager
async def envoy_with_control(directory, **options):
    """An xDS server and one Envoy on it."""
    async with Control(directory / "xds") as control, EnvoyProcess(directory, directory / "xds", **options) as envoy:
        yield control, envoy


async def eventually_listening(listeners):
    """Wait until sockets are bound to the addresses of listeners."""

    async def are_bound():
        bound = {each.laddr[:2] for each in psutil.net_connections("inet") if each.status in ("LISTEN", "NONE")}
        return all((each.address, each.port) in bound for each in listeners)

    await eventually(are_bound)


async def until_greeted(address, port, by, source=None):
    """Wait until a listener answers for a member."""

    async def is_greeted():
        return await greeting(address, port, source) == by

    return await eventually(is_greeted)
