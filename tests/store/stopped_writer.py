"""Writes as fast as it can until it is killed; tests stop it in the middle."""

import contextlib
import sys
from itertools import count

import uvloop

from app.domain.errors import ApiError
from tests.store.writing import running, service, uid


async def main(url: str) -> None:
    async with running(url) as store:
        for number in count():
            # The database may be away for longer than a write waits; the next writes have other names.
            with contextlib.suppress(ApiError):
                await store.writer.write_all([service("create", f"stopped-{number}-{n}", uid()) for n in range(20)])
            if number == 0:
                sys.stdout.write("writing\n")
                sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
