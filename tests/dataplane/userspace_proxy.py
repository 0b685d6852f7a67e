"""A proxy of ClusterIPs and node ports that reads what kube-proxy reads, and nothing else; TCP only.

Run in a network namespace as `python -m tests.dataplane.userspace_proxy --master URL --hostname-override NODE`.
"""

import argparse
import asyncio
import contextlib
import itertools

from kubernetes_asyncio import client

from tests.clients.informers import kube_proxy

_PAUSE_SECONDS = 0.05
_SERVICE = "kubernetes.io/service-name"


class Proxy:
    """Listens where Services say, and passes connections on to the endpoints that may take them."""

    def __init__(self, objects, node):
        self._objects = objects
        self._node = node
        self._servers = {}
        self._turn = itertools.count()
        self._kept = {}

    async def follow(self):
        """Open and close listeners as Services come and go."""
        wanted = dict(self._wanted())
        for place in self._servers.keys() - wanted.keys():
            self._servers.pop(place)[0].close()
        for place, destination in wanted.items():
            if place in self._servers:
                self._servers[place][1].update(destination)
                continue
            current = dict(destination)
            with contextlib.suppress(OSError):
                server = await asyncio.start_server(lambda *ends, to=current: self._serve(to, *ends), *place)
                self._servers[place] = (server, current)

    def _wanted(self):
        """Address and port with the Service's port that they lead to."""
        addresses = [
            address["address"]
            for node in self._objects["nodes"].objects.values()
            for address in node["status"].get("addresses", [])
            if address["type"] == "InternalIP"
        ]
        for place, service in self._objects["services"].objects.items():
            spec = service["spec"]
            for port in spec.get("ports", []):
                if port["protocol"] != "TCP":
                    continue
                common = {"service": place, "port": port.get("name", ""), "affinity": spec["sessionAffinity"]}
                for address in spec.get("clusterIPs", []):
                    local = spec.get("internalTrafficPolicy") == "Local"
                    yield (address, port["port"]), {**common, "local": local}
                for address in addresses if port.get("nodePort") else ():
                    local = spec.get("externalTrafficPolicy") == "Local"
                    yield (address, port["nodePort"]), {**common, "local": local}

    def _members(self, service, port, local):
        """Ready endpoints; if there are none, those that terminate and still serve (KEP-1669)."""
        ready, fallback = [], []
        for (namespace, _), found in self._objects["endpointslices.discovery.k8s.io"].objects.items():
            if (namespace, found["metadata"]["labels"].get(_SERVICE)) != service:
                continue
            number = next((each["port"] for each in found["ports"] or [] if each.get("name", "") == port), None)
            for endpoint in found["endpoints"] or [] if number else ():
                conditions = endpoint.get("conditions", {})
                if local and endpoint.get("nodeName") != self._node:
                    continue
                members = [(endpoint["addresses"][0], number)]
                if conditions.get("ready", True):
                    ready += members
                elif conditions.get("serving") and conditions.get("terminating"):
                    fallback += members
        return sorted(ready or fallback)

    async def _serve(self, to, reader, writer):
        with contextlib.closing(writer), contextlib.suppress(OSError):
            members = self._members(to["service"], to["port"], to["local"])
            if not members:
                return
            member = members[next(self._turn) % len(members)]
            if to["affinity"] == "ClientIP":
                kept = (to["service"], to["port"], writer.get_extra_info("peername")[0])
                member = self._kept[kept] if self._kept.get(kept) in members else member
                self._kept[kept] = member
            inward, outward = await asyncio.open_connection(*member)
            with contextlib.closing(outward):
                await asyncio.gather(_pass_on(reader, outward), _pass_on(inward, writer))


async def _pass_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--master", required=True)
    parser.add_argument("--hostname-override", required=True)
    options = parser.parse_args()
    async with client.ApiClient(client.Configuration(host=options.master)) as api:
        agent = kube_proxy(api, options.hostname_override)
        proxy = Proxy(agent.informers, options.hostname_override)
        async with agent:
            while True:
                agent.check()
                await proxy.follow()
                await asyncio.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
