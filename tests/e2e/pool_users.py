"""Those who use and edit pools of addresses while processes are killed."""

import asyncio

from tests.e2e.client import Connection, LostError, UnreachableError

POOLS = "/apis/fairlead.io/v1/addresspools"
PATCH = {"Content-Type": "application/merge-patch+json"}


class Client:
    """Talks to any process that is there; what became of a request whose answer was lost it looks up."""

    def __init__(self, ensemble, chance):
        self._connections = [Connection(api.url) for api in ensemble.apis]
        self._chance = chance

    async def ask(self, method, path, document=None, headers=None):
        """An answer; None where it was lost."""
        while True:
            try:
                return await self._chance.choice(self._connections).request(method, path, document, headers)
            except UnreachableError:
                await asyncio.sleep(0.05)
            except LostError:
                return None

    async def read(self, path):
        """The object, or None if there is none."""
        while (reply := await self.ask("GET", path)) is None or reply.status >= 500:
            await asyncio.sleep(0.05)
        return reply.document if reply.status == 200 else None

    def close(self):
        for connection in self._connections:
            connection.close()


def address(document):
    points = (document or {}).get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return points[0]["ip"] if points else None


def pool(name, *addresses, **spec):
    return {
        "apiVersion": "fairlead.io/v1",
        "kind": "AddressPool",
        "metadata": {"name": name},
        "spec": {"scope": "external", "addresses": addresses, **spec},
    }


class Operator:
    """Edits pools, one after the other, as an operator would."""

    def __init__(self, client, chance):
        self._client = client
        self._chance = chance
        self.answers = set()

    async def run(self, rounds):
        for number in range(rounds):
            name = f"pool-{number % 6}"
            found = await self._client.read(f"{POOLS}/{name}")
            change = self._chance.choice([self.drain, self.grow, self.shrink, self.delete]) if found else self.add
            reply = await change(name, number, found)
            if reply is not None:
                self.answers.add((change.__name__, reply.status))
            await asyncio.sleep(self._chance.random() / 10)

    async def add(self, name, number, _found):
        return await self._client.ask("POST", POOLS, pool(name, f"198.19.{number}.0/29", priority=number % 3))

    async def drain(self, name, _number, found):
        return await self._patch(name, drain=not found["spec"].get("drain", False))

    async def grow(self, name, number, found):
        return await self._patch(name, addresses=[*found["spec"]["addresses"], f"198.19.{number}.0/30"])

    async def shrink(self, name, _number, found):
        return await self._patch(name, addresses=found["spec"]["addresses"][1:] or ["198.18.255.1"])

    async def delete(self, name, _number, _found):
        return await self._client.ask("DELETE", f"{POOLS}/{name}")

    async def _patch(self, name, **spec):
        return await self._client.ask("PATCH", f"{POOLS}/{name}", {"spec": spec}, PATCH)


async def havoc(ensemble, chance, rounds):
    """Kill one process after the other; each is started again."""
    for _ in range(rounds):
        await asyncio.sleep(1 + chance.random())
        process = chance.choice([*ensemble.apis, *ensemble.reconcilers])
        await asyncio.to_thread(process.kill)
        await asyncio.to_thread(process.start)
