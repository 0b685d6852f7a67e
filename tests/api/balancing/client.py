"""The API as a user of load balancers sees it."""

from tests.api.objects import SERVICES
from tests.e2e.waiting import eventually

PREFIX = "service.beta.kubernetes.io/"
INTERNAL = {"azure-load-balancer-internal": "true"}
GROUP = "/apis/fairlead.io/v1"
BALANCERS = f"{GROUP}/namespaces/default/loadbalancers"


class Client:
    """Requests about load balancers."""

    def __init__(self, http):
        self.http = http

    async def post(self, name="web", annotations=(), ports=None, dry_run=False, **spec):
        """The answer to a new LoadBalancer Service. Annotations are given without Azure's prefix."""
        body = self._body(name, annotations, ports, spec)
        return await self.http.post(SERVICES, json=body, params={"dryRun": "All"} if dry_run else {})

    async def put(self, name="web", annotations=(), ports=None, **spec):
        """The answer to a replacement."""
        return await self.http.put(f"{SERVICES}/{name}", json=self._body(name, annotations, ports, spec))

    async def made(self, name="web", annotations=(), ports=None, **spec):
        """A new LoadBalancer Service."""
        answer = await self.post(name, annotations, ports, **spec)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def changed(self, name="web", annotations=(), ports=None, **spec):
        """The Service after a replacement."""
        answer = await self.put(name, annotations, ports, **spec)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def balancer(self, name="web"):
        """The spec of its load balancer."""
        answer = await self.http.get(f"{BALANCERS}/{name}")
        assert answer.status_code == 200, answer.text
        return answer.json()["spec"]

    async def refusal(self, *given, **more):
        """The fields that a refused Service names."""
        answer = await self.post(*given, **more)
        assert answer.status_code == 422, answer.text
        return [cause["field"] for cause in answer.json()["details"]["causes"]]

    async def warnings(self, *given, **more):
        """The texts of the warnings with which a Service is accepted."""
        answer = await self.post(*given, dry_run=True, **more)
        assert answer.status_code == 201, answer.text
        return answer.headers.get_list("warning")

    async def events(self, name="web"):
        """The messages of the Service's Events, by reason."""
        events = (await self.http.get("/api/v1/namespaces/default/events")).json()["items"]
        return {each["reason"]: each["message"] for each in events if each["involvedObject"]["name"] == name}

    async def told(self, reason, name="web"):
        """Wait for an Event; answers its message."""

        async def found():
            return (await self.events(name)).get(reason)

        return await eventually(found)

    async def pool(self, name, *ranges, **spec):
        """Make an AddressPool."""
        body = {"metadata": {"name": name}, "spec": {"addresses": list(ranges), **spec}}
        answer = await self.http.post(f"{GROUP}/addresspools", json=body)
        assert answer.status_code == 201, answer.text

    async def static(self, name, **spec):
        """Make a StaticAddress, and wait until it has its address."""
        path = f"{GROUP}/namespaces/default/staticaddresses"
        answer = await self.http.post(path, json={"metadata": {"name": name}, "spec": spec})
        assert answer.status_code == 201, answer.text

        async def has_its_address():
            return (await self.http.get(f"{path}/{name}")).json().get("status", {}).get("address")

        return await eventually(has_its_address)

    def _body(self, name, annotations, ports, spec):
        keyed = {key if "/" in key else PREFIX + key: text for key, text in dict(annotations).items()}
        ports = [{"name": "http", "port": 80}] if ports is None else ports
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "annotations": keyed},
            "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": ports, **spec},
        }


def addresses(service):
    """Where a Service takes traffic."""
    return [point["ip"] for point in service["status"]["loadBalancer"].get("ingress", [])]
