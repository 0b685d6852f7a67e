"""A data plane whose disk is full: what runs goes on, the condition says why, and it heals once there is room."""

import contextlib
import os
import shutil
import subprocess

import pytest

from app.providers.lb.pushes import LoadBalancerError
from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import OWNER, QUICK_PROBE, Control, EnvoyProcess, traffic, until_greeted
from tests.dataplane.haproxies import HAProxyProcess

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk: run the tests as root")

VIP = "127.23.0.1"


@pytest.fixture
def disk(tmp_path):
    """A directory with room for 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@contextlib.contextmanager
def full(disk):
    """Leave no room at all."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(disk).free == 0
    yield
    ballast.unlink()


async def test_haproxy_goes_on_says_so_and_heals(disk, port):
    async with HAProxyProcess(disk) as haproxy, Backend("one") as one, Backend("two") as two:
        await haproxy.put(traffic([(VIP, port)], [one], probing=QUICK_PROBE))
        assert await greeting(VIP, port) == "one"
        more = traffic([(VIP, port + 1_000)], [one], name="shop/more/TCP/80")
        with full(disk):
            for _ in range(2):
                with pytest.raises(LoadBalancerError, match="No space left on device") as failed:
                    await haproxy.driver.push({OWNER: haproxy.wanted[OWNER], ("shop", "more"): more})
                assert failed.value.reason == "NotWritten"
            assert await greeting(VIP, port) == "one"
            assert not (disk / "haproxy.cfg.new").exists(), "what was written in part takes no room"
            # Members come and go without the file.
            with pytest.raises(LoadBalancerError, match="No space left on device"):
                await haproxy.driver.push({OWNER: traffic([(VIP, port)], [two], probing=QUICK_PROBE)})
            await until_greeted(VIP, port, "two")
        await haproxy.put(more, ("shop", "more"))
        await until_greeted(VIP, port + 1_000, "one")
        await until_greeted(VIP, port, "one")


async def test_an_envoy_needs_no_room_and_starts_without_any(disk, directory, port):
    async with Control(directory / "xds") as control, Backend("one") as one, Backend("two") as two:
        envoy = EnvoyProcess(disk, directory / "xds", drain_seconds=1)
        async with envoy:
            await control.put(traffic([(VIP, port)], [one]))
            with full(disk):
                assert await greeting(VIP, port) == "one"
                await control.put(traffic([(VIP, port)], [two]))
                await until_greeted(VIP, port, "two")
                envoy.stop()
                envoy.start()
                await until_greeted(VIP, port, "two")
            await control.put(traffic([(VIP, port + 1_000)], [one]))
            await until_greeted(VIP, port + 1_000, "one")
