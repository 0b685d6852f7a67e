"""What this machine can do, measured in the same run: commits of the disk, and an empty route."""

import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

from app.supervisor.binaries import binaries, unprivileged_user


def fsyncs(directory: Path) -> float:
    """Commits a second that the disk under a directory can make durable, one after the other."""
    program = binaries(unprivileged_user(directory)) / "pg_test_fsync"
    told = subprocess.run(
        [program, "-s", "1", "-f", directory / "fsync"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"fdatasync +([\d.]+) ops/sec", told)
    assert found is not None, told
    return float(found[1])


@contextmanager
def empty_route(workers: int):
    """The URL of a FastAPI application with one route that answers nothing, on so many workers."""
    sockets = [_listener(0)]
    sockets += [_listener(sockets[0].getsockname()[1]) for _ in range(workers - 1)]
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.bench.yardsticks", str(each.fileno())], pass_fds=[each.fileno()])
        for each in sockets
    ]
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)
        for each in sockets:
            each.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener


app = FastAPI(openapi_url=None)


@app.get("/empty")
async def empty() -> Response:
    return Response()


if __name__ == "__main__":
    os.environ.pop("WEB_CONCURRENCY", None)
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False, proxy_headers=False)
        uvicorn.Server(config).run(sockets=[inherited])
