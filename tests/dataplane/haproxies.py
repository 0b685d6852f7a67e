"""Real HAProxies, driven as a reconciler drives them."""

import subprocess

from app.providers.lb.haproxy import HAProxy
from app.providers.lb.pushes import LoadBalancerError
from tests.dataplane.envoys import OWNER, eventually_listening
from tests.e2e.waiting import eventually

EMPTY = "global\ndefaults\n    mode tcp\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n"


class HAProxyProcess:
    """An HAProxy of a test's own, as its documentation starts it."""

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "haproxy.log"
        self.driver = HAProxy(directory)
        self.wanted = {}
        self.process = None

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    async def start(self):
        file = self.directory / "haproxy.cfg"
        if not file.is_file():
            file.write_text(EMPTY)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it does not wait
                ["/usr/sbin/haproxy", "-W", "-S", f"{self.directory}/master.sock,mode,600", "-f", file],
                stdout=log,
                stderr=log,
                process_group=0,
            )

        async def runs():
            try:
                return await self.driver.push(self.wanted) is not None
            except LoadBalancerError:
                return False

        await eventually(runs)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    async def put(self, traffic, owner=OWNER):
        """Give a Service other traffic; answers what it does not serve."""
        self.wanted = {**self.wanted, owner: traffic}
        unserved = await self.driver.push(self.wanted)
        if owner not in unserved:
            await eventually_listening([each for each in traffic.listeners if each.sources])
        return unserved

    async def reloads(self):
        """How often it has been reloaded."""
        lines = (await self.driver._ask(self.directory / "master.sock", "show proc")).splitlines()
        return int(next(line.split()[2] for line in lines if " master " in line))
