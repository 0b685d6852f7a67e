"""HAProxy on this machine, in master-worker mode: a file, a reload of the master, and the runtime API for members.

Start it with a directory that both can write, and that nobody else can:

    haproxy -W -S DIRECTORY/master.sock,mode,600 -f DIRECTORY/haproxy.cfg
"""

import asyncio
import errno
import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.domain.wanted.traffic import NOTHING, Member, Traffic
from app.providers.lb.haproxy_file import Rendered, Slot, rendered
from app.providers.lb.pushes import LoadBalancerError, ServiceKey

_ANSWER_SECONDS, _CHECK_SECONDS, _RELOAD_SECONDS = 5.0, 30.0, 10.0
_MOST_ANSWER_BYTES = 64 * 2**20
_COMMANDS_AT_ONCE = 50
_ERROR_LINE = re.compile(r"haproxy\.cfg\.new:(\d+)\]?\s*:?\s*(.*)")
_UNBINDABLE = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}


class HAProxy:
    """One HAProxy.

    Args:
        directory: Where its file and its sockets are.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "haproxy.cfg"
        self._master = directory / "master.sock"
        self._stats = directory / "haproxy.sock"
        self._slots: dict[str, int] = {}
        self._bound: set[tuple[str, int]] = set()

    async def push(self, wanted: Mapping[ServiceKey, Traffic]) -> Mapping[ServiceKey, str]:
        """Have it serve this traffic. Where only members changed, nothing is reloaded.

        Returns:
            What it does not serve, in words, by Service.

        Raises:
            LoadBalancerError: It does not run, or did not take the file.
        """
        refused: dict[ServiceKey, str] = {}
        running = await self._running_mark()
        found = rendered(wanted, self._stats, self._slots)
        if running != found.mark:
            wanted, refused = self._without_unbindable(wanted, found)
            found = rendered(wanted, self._stats, self._slots)
            found = await self._written(wanted, found, refused)
        if running != found.mark:
            await self._reload(found)
        else:
            await self._fill(found.slots)
            self._replace(found.text)  # after the members: a full disk keeps none of them from coming and going
        self._slots = _counts(found.slots)
        self._bound = set(found.binds)
        return {**found.unserved, **refused}

    async def version(self) -> str:
        """The program and its version.

        Raises:
            LoadBalancerError: It does not run.
        """
        return f"haproxy {_field(await self._ask(self._stats, 'show info'), 'Version')}"

    async def _running_mark(self) -> str:
        """The mark of the file that it runs with, "" for one that is not ours.

        Raises:
            LoadBalancerError: The master does not run.
        """
        await self._ask(self._master, "show proc")
        try:
            answer = await self._ask(self._stats, "show info")
        except LoadBalancerError:
            return ""
        return _field(answer, "description").removeprefix("fairlead-")

    def _without_unbindable(
        self, wanted: Mapping[ServiceKey, Traffic], found: Rendered
    ) -> tuple[dict[ServiceKey, Traffic], dict[ServiceKey, str]]:
        """Leave out Services with a new address that cannot be bound: one would keep all others from being served."""
        refused = {}
        for (address, port), key in found.binds.items():
            problem = None if (address, port) in self._bound else _bind_problem(address, port)
            if problem is not None and not self._listens(address, port):
                refused[key] = f"cannot bind {address} port {port}: {problem}"
        return {key: NOTHING if key in refused else each for key, each in wanted.items()}, refused

    def _listens(self, address: str, port: int) -> bool:
        """Whether the file that is there, and so perhaps the running HAProxy, has the address already."""
        place = f"    bind {f'[{address}]' if ':' in address else address}:{port}\n"
        return not self._bound and self._file.is_file() and place in self._file.read_text()

    async def _written(
        self, wanted: Mapping[ServiceKey, Traffic], found: Rendered, refused: dict[ServiceKey, str]
    ) -> Rendered:
        """Write the file once HAProxy itself finds it valid; Services of which a line is not are left out."""
        trial = self._file.with_name("haproxy.cfg.new")
        while True:
            self._write(trial, found.text)
            complaint = await _check(trial)
            if complaint is None:
                trial.replace(self._file)
                return found
            key = _culprit(complaint, found, wanted)
            if key is None:
                raise LoadBalancerError("NotWritten", f"HAProxy finds its file wrong: {complaint[:500]}")
            refused[key] = complaint.strip().splitlines()[0][:500]
            wanted = {name: NOTHING if name == key else each for name, each in wanted.items()}
            found = rendered(wanted, self._stats, self._slots)

    def _replace(self, text: str) -> None:
        """Keep the file as it should be, for the next start of HAProxy."""
        if self._file.read_text() != text:
            trial = self._file.with_name("haproxy.cfg.new")
            self._write(trial, text)
            trial.replace(self._file)

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text)
        except OSError as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise LoadBalancerError("NotWritten", f"{path} cannot be written: {error.strerror}") from error

    async def _reload(self, found: Rendered) -> None:
        """Reload, and wait for a worker that runs with the new file."""
        await self._ask(self._master, "reload", answers=False)
        deadline = asyncio.get_running_loop().time() + _RELOAD_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            try:
                if await self._running_mark() == found.mark:
                    return
            except LoadBalancerError:  # the master starts anew in between
                pass
            await asyncio.sleep(0.05)
        raise LoadBalancerError("NotReloaded", "HAProxy goes on with its old file; its own log says why")

    async def _fill(self, slots: Sequence[Slot]) -> None:
        """Bring members into slots and out of them through the runtime API."""
        has = _states(await self._ask(self._stats, "show servers state"))
        commands = [command for slot in slots for command in _commands(slot, has.get((slot.backend, slot.name)))]
        for start in range(0, len(commands), _COMMANDS_AT_ONCE):
            await self._ask(self._stats, "; ".join(commands[start : start + _COMMANDS_AT_ONCE]))

    async def _ask(self, path: Path, command: str, *, answers: bool = True) -> str:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(str(path), limit=_MOST_ANSWER_BYTES)
                try:
                    end = "; quit" if path == self._master and answers else ""
                    writer.write(f"{command}{end}\n".encode())
                    await writer.drain()
                    return (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            if not answers:
                return ""
            message = (
                f"HAProxy does not answer at {path}: haproxy -W -S {self._master},mode,600 -f {self._file} starts it"
            )
            raise LoadBalancerError("NotRunning", message) from error


async def _check(path: Path) -> str | None:
    """What HAProxy finds wrong with a file, None for nothing."""
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    try:
        process = await asyncio.create_subprocess_exec(
            program, "-c", "-q", "-f", path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(_CHECK_SECONDS):
            _, complaint = await process.communicate()
    except OSError as error:
        raise LoadBalancerError("NotWritten", f"{program} cannot be run: {error.strerror}") from error
    return None if process.returncode == 0 else complaint.decode(errors="replace")


def _culprit(complaint: str, found: Rendered, wanted: Mapping[ServiceKey, Traffic]) -> ServiceKey | None:
    """The Service whose line is wrong: the section that it is in is named after the Service, or its address."""
    line = _ERROR_LINE.search(complaint)
    if line is None:
        return None
    before = found.text.splitlines()[: int(line[1])]
    section = next((each.split()[1] for each in reversed(before) if each.startswith(("backend ", "frontend "))), "")
    for key, traffic in wanted.items():
        names = [each.name for part in (traffic.backends, traffic.listeners, traffic.health_listeners) for each in part]
        if section in (name.replace("/", ":") for name in names):
            return key
    return None


def _bind_problem(address: str, port: int) -> str | None:
    """Why an address cannot be bound here, None if it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error.strerror if error.errno in _UNBINDABLE else None
    return None


def _counts(slots: Sequence[Slot]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for slot in slots:
        counts[slot.backend] = counts.get(slot.backend, 0) + (1 if slot.name.startswith("m") else 0)
    return counts


def _field(answer: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", answer, re.MULTILINE)
    return "" if found is None else found[1].strip()


def _states(answer: str) -> dict[tuple[str, str], tuple[Member, bool]]:
    """By backend and server: its address, port and probe port, and whether it is in maintenance."""
    found = {}
    lines = [line.split(" ") for line in answer.splitlines()]
    header = next((line[1:] for line in lines if line[0] == "#"), [])
    for line in lines:
        if len(line) == len(header) and line[0].isdigit():
            row = dict(zip(header, line, strict=True))
            member = Member(row["srv_addr"], int(row["srv_port"]), int(row["srv_check_port"]))
            found[row["be_name"], row["srv_name"]] = (member, bool(int(row["srv_admin_state"]) & 1))
    return found


def _commands(slot: Slot, has: tuple[Member, bool] | None) -> list[str]:
    """What brings a slot from what it has to what it should have."""
    server = f"{slot.backend}/{slot.name}"
    if slot.member is None:
        return [] if has is not None and has[1] else [f"set server {server} state maint"]
    member, probe_port = slot.member, slot.member.probe_port
    if has is not None and not has[1] and (has[0].address, has[0].port) == (member.address, member.port):
        return [] if has[0].probe_port in (0, member.probe_port) else [f"set server {server} check-port {probe_port}"]
    return [
        f"set server {server} state maint",
        f"set server {server} addr {member.address} port {member.port}",
        *([f"set server {server} check-port {probe_port}"] if slot.probed else []),
        f"set server {server} state ready",
    ]
