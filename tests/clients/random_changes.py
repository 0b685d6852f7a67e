"""A random life of a cluster: everything that a Service's consumers read comes, changes and goes."""

import asyncio
import random

from tests.e2e.client import Connection

PROXY_LABEL, ZONE_LABEL = "service.kubernetes.io/service-proxy-name", "topology.kubernetes.io/zone"
REFUSED = (403, 404, 409, 422)
"""What a client has to expect that does not look first."""

MERGE = {"Content-Type": "application/merge-patch+json"}
CIDR = "/apis/networking.k8s.io/v1/servicecidrs"


class Changes:
    """Makes random changes in namespaces of its own, with several clients at a time.

    Attributes:
        made: How many changes the server accepted.
        unexpected: Answers that nobody has to expect.
    """

    def __init__(self, url, prefix, *, seed, clients=8):
        self.made = 0
        self.unexpected = []
        self._url = url
        self._prefix = prefix
        self._namespaces = [f"{prefix}-{number}" for number in range(3)]
        self._nodes = [f"{prefix}-n{number}" for number in range(3)]
        self._random = random.Random(seed)
        self._clients = clients

    @property
    def node(self):
        """One of the nodes, which comes and goes."""
        return self._nodes[0]

    async def run(self, count):
        """Make so many changes that are accepted."""
        end = self.made + count
        connections = [Connection(self._url) for _ in range(self._clients)]

        async def work(connection):
            while self.made < end:
                await self._step(connection)

        await asyncio.gather(*map(work, connections))
        for connection in connections:
            connection.close()

    async def clean(self):
        """Delete what is in no namespace, and the namespaces."""
        connection = Connection(self._url)
        for name in self._nodes:
            await connection.request("DELETE", f"/api/v1/nodes/{name}")
        for number in range(3):
            await connection.request("DELETE", f"{CIDR}/{self._prefix}-{number}")
        for name in self._namespaces:
            await connection.request("DELETE", f"/api/v1/namespaces/{name}")
        connection.close()

    async def _step(self, connection):
        doing = self._random.choices(
            [self._namespace, self._node, self._cidr, self._service, self._pod, self._report, self._endpoints],
            weights=[1, 3, 1, 20, 15, 25, 5],
        )[0]
        method, path, document = doing()
        reply = await connection.request(method, path, document, MERGE if method == "PATCH" else None)
        if reply.status in (200, 201):
            self.made += 1
        elif reply.status not in REFUSED:
            self.unexpected.append((method, path, reply.status, reply.body))

    def _namespace(self):
        name = self._random.choice(self._namespaces)
        if self._random.random() < 0.3:
            return "DELETE", f"/api/v1/namespaces/{name}", None
        return "POST", "/api/v1/namespaces", {"metadata": {"name": name}}

    def _node(self):
        name, path = self._random.choice(self._nodes), "/api/v1/nodes"
        labels = {ZONE_LABEL: self._random.choice("abc")}
        return self._any(path, name, {"metadata": {"name": name, "labels": labels}}, {"metadata": {"labels": labels}})

    def _cidr(self):
        number = self._random.randrange(3)
        document = {"metadata": {"name": f"{self._prefix}-{number}"}, "spec": {"cidrs": [f"10.20{number}.0.0/24"]}}
        labels = {"metadata": {"labels": {"x": str(self._random.random())}}}
        return self._any(CIDR, document["metadata"]["name"], document, labels)

    def _service(self):
        name, path = f"s{self._random.randrange(12)}", f"{self._in_one()}/services"
        ports = [{"name": "http", "port": self._random.randrange(80, 84), "targetPort": 8080}]
        kinds = (
            {"selector": {"app": name}},
            {"selector": {"app": name}, "clusterIP": "None"},
            {"selector": {"app": name}, "type": "NodePort"},
            {},
        )
        spec = {"ports": ports, **self._random.choice(kinds)}
        labels = {PROXY_LABEL: self._random.choice([None, "mine"])}
        change = {"metadata": {"labels": labels}, "spec": {"ports": ports}}
        return self._any(path, name, {"metadata": {"name": name}, "spec": spec}, change)

    def _pod(self):
        name, path = f"p{self._random.randrange(40)}", f"{self._in_one()}/pods"
        labels = {"app": f"s{self._random.randrange(12)}"}
        node = self._random.choice(["", *self._nodes])
        document = {
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": node, "containers": [{"name": "m"}]},
        }
        return self._any(path, name, document, {"metadata": {"labels": labels}})

    def _report(self):
        status = {
            "phase": "Running",
            "podIP": f"172.16.{self._random.randrange(256)}.{self._random.randrange(1, 255)}",
            "conditions": [{"type": "Ready", "status": self._random.choice(["True", "False"])}],
        }
        return "PATCH", f"{self._in_one()}/pods/p{self._random.randrange(40)}/status", {"status": status}

    def _endpoints(self):
        name, path = f"s{self._random.randrange(12)}", f"{self._in_one()}/endpoints"
        subsets = [{"addresses": [{"ip": f"172.17.0.{self._random.randrange(1, 255)}"}], "ports": [{"port": 1}]}]
        return self._any(path, name, {"metadata": {"name": name}, "subsets": subsets}, {"subsets": subsets})

    def _in_one(self):
        return f"/api/v1/namespaces/{self._random.choice(self._namespaces)}"

    def _any(self, path, name, document, change):
        chosen = self._random.random()
        if chosen < 0.4:
            return "POST", path, document
        return ("PATCH", f"{path}/{name}", change) if chosen < 0.75 else ("DELETE", f"{path}/{name}", None)
