"""Three Postgres under Patroni, with etcd, on this machine: the nodes can be killed, paused and cut off."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from app.supervisor.binaries import binaries, unprivileged_user
from app.supervisor.children import spawn
from tests.e2e.roads import Roads
from tests.e2e.waiting import until
from tests.ports import free_port

_PROGRAMS = Path(sys.executable).parent
"""Of Patroni's package. That of Debian 12, 3.0, may start a Postgres twice that was cut off, and destroy its data."""

needed = pytest.mark.skipif(not shutil.which("etcd"), reason="needs the Debian package etcd-server")

TTL = 20
"""Seconds until the standbys may take over from a primary that says nothing; the least that Patroni takes."""

_DCS = {
    "ttl": TTL,
    "loop_wait": 1,
    "retry_timeout": 3,
    # A primary whose Postgres crashed is replaced, not waited for.
    "primary_start_timeout": 0,
    "synchronous_mode": True,
    # Without etcd the primary goes on as long as it reaches all others.
    "failsafe_mode": True,
    "postgresql": {"use_pg_rewind": True, "remove_data_directory_on_rewind_failure": True},
}
_PARAMETERS = {
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": 100,
    "wal_log_hints": "on",
    "autovacuum": "off",
}


class Node:
    """One Patroni with its Postgres. The others, etcd and all clients reach it by roads that can be cut."""

    def __init__(self, name, directory, user, programs, etcd, roads):
        self.name = name
        self._user = user
        self._directory = directory
        listen, rest = free_port(), free_port()
        self._etcd, self.port, self._rest = self.roads = [roads.to(port) for port in (etcd, listen, rest)]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{rest}", timeout=2, trust_env=False)
        self.log = directory / "log"
        directory.mkdir()
        shutil.chown(directory, *user)
        self._file = directory / "patroni.yml"
        self._file.write_text(yaml.safe_dump(self._configuration(programs, listen, rest)))
        self.start()

    def _configuration(self, programs, listen, rest):
        everybody = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
        return {
            "scope": "fairlead",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{self._rest}"},
            # Else Patroni would ask etcd for the addresses of its members, and go there directly.
            "etcd3": {"hosts": [f"127.0.0.1:{self._etcd}"], "use_proxies": True},
            "bootstrap": {"dcs": _DCS, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"]},
            "postgresql": {
                "listen": f"127.0.0.1:{listen}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self._directory / "data"),
                "bin_dir": str(programs),
                "pgpass": str(self._directory / "pgpass"),
                "authentication": {"superuser": {"username": "fairlead"}, "replication": {"username": "replicator"}},
                "parameters": _PARAMETERS,
                "pg_hba": everybody,
                # A node that is made anew does not wait for the primary's next checkpoint, for minutes.
                "basebackup": [{"checkpoint": "fast"}],
            },
        }

    def start(self):
        with self.log.open("ab") as log:
            self._process = spawn(
                [*_as_user(*self._user), _PROGRAMS / "patroni", self._file],
                cwd=self._directory,
                env={"PATH": os.defpath, "HOME": str(self._directory), "LC_ALL": "C"},
                output=log,
            )

    def start_if_dead(self):
        if self._process.poll() is not None:
            self.start()

    @property
    def is_primary(self):
        """Whether it says that it takes writes."""
        return self._answers("primary")

    @property
    def is_synchronous(self):
        """Whether it is the standby that commits wait for."""
        return self._answers("synchronous")

    @property
    def is_running(self):
        """Whether its Postgres runs, as it says itself: etcd remembers for a while what it was before it was killed."""
        return self._answers("health")

    def _answers(self, role):
        try:
            return self.client.get(role).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill_postgres(self):
        self._each(psutil.Process.kill, lambda process: process.name() == "postgres")

    def kill(self):
        """The whole machine, at once."""
        self._each(psutil.Process.kill)
        self._process.wait(10)

    def pause(self):
        self._each(psutil.Process.suspend)

    def resume(self):
        self._each(psutil.Process.resume)

    def _each(self, work, chosen=lambda _: True):
        """Patroni, Postgres, whose parent it need not be any more, and all that these started."""
        for process in psutil.process_iter(["cwd"]):
            directory = process.info["cwd"]
            if directory and Path(directory).is_relative_to(self._directory):
                with suppress(psutil.NoSuchProcess):
                    if chosen(process):
                        work(process)


class Cluster:
    """A primary with two standbys, one of which every commit waits for."""

    def __init__(self):
        self._user = unprivileged_user(Path("/nonexistent")) or (os.geteuid(), os.getegid())
        self.directory = Path(tempfile.mkdtemp(prefix="patroni-"))
        self.directory.chmod(0o755)
        self._roads = Roads()
        self._etcd_port, self._etcd_peer = free_port(), free_port()
        self.start_etcd()
        programs = binaries(self._user)
        self.nodes = [
            Node(f"db-{number}", self.directory / f"db-{number}", self._user, programs, self._etcd_port, self._roads)
            for number in range(3)
        ]
        until(self.is_whole, timeout=120, pause=0.2)
        self.url = _url(self.nodes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()
            node.client.close()
        self.kill_etcd()
        self._roads.close()
        shutil.rmtree(self.directory)

    def url_of(self, node):
        return _url([node])

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._etcd_peer))
        command = [
            *(shutil.which("etcd"), "--data-dir", self.directory / "etcd", "--name", "etcd"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"etcd={peer}"),
        ]
        with (self.directory / "etcd.log").open("ab") as log:
            self._etcd = spawn(command, cwd=self.directory, env={"PATH": os.defpath}, output=log)

    def kill_etcd(self):
        self._etcd.kill()
        self._etcd.wait()

    def primary(self):
        """The node that takes writes, None where there is none at the moment."""
        return next((node for node in self.nodes if node.is_primary), None)

    def is_whole(self):
        """Whether there is a primary, a synchronous standby and another one; each says itself that it is there."""
        roles = self.primary() is not None and any(node.is_synchronous for node in self.nodes)
        return roles and self._members() == 3 and all(node.is_running for node in self.nodes)

    def _members(self):
        try:
            members = self.nodes[0].client.get("cluster").json()["members"]
        except httpx.TransportError:
            return 0
        return sum(member["state"] in ("running", "streaming") for member in members)

    def latest(self):
        """What each node has said last."""
        said = ((node.name, node.log.read_text(errors="replace").splitlines()[-20:]) for node in self.nodes)
        return "\n".join(f"{name}: {line}" for name, lines in said for line in lines)

    def cut_off(self, node):
        """It runs, and nobody hears of it, nor it of anybody."""
        for road in self._to_cut(node):
            self._roads.cut(road)

    def reconnect(self, node):
        for road in self._to_cut(node):
            self._roads.mend(road)

    def _to_cut(self, node):
        """Its own roads, and those by which its Patroni would ask the others whether it may go on without etcd."""
        return {*node.roads, *(each.roads[-1] for each in self.nodes)}

    def switch_over(self):
        """What an operator does before maintenance."""
        leader = self.primary()
        candidate = next(node for node in self.nodes if node.is_synchronous)
        command = [_PROGRAMS / "patronictl", "-c", leader._file, "switchover", "--force"]
        said = subprocess.run(
            [*command, "--leader", leader.name, "--candidate", candidate.name, "fairlead"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Successfully switched over" in said.stdout, said.stdout + said.stderr


def _as_user(uid, gid):
    """The beginning of a command line with which root runs a program as another user who may read all files.

    Patroni's package may be in root's home. `setpriv` also has the program end with its parent, since the signal that
    `spawn` asks for is lost when the user changes.
    """
    if os.geteuid() != 0:
        return []
    rights = "+dac_override"
    return [
        *("setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups", "--pdeathsig", "KILL"),
        *("--inh-caps", rights, "--ambient-caps", rights),
    ]


def _url(nodes):
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return f"postgresql://fairlead@{hosts}/postgres?sslmode=disable"
