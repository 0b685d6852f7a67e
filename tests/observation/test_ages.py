"""How long certificates last, and how old the last backup is, as a scrape tells it."""

import asyncio
import re
import ssl
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.credentials.certificates import client_context
from app.startup.backup_watch import watch_backups
from app.store.backups_made import note_backup
from app.store.database import Database
from app.telemetry.exposition import exposition
from tests.e2e.serving import Serving
from tests.e2e.test_serve import with_token
from tests.e2e.test_tls import issue
from tests.e2e.waiting import eventually, until

AUTHORIZED = {"authorization": "Bearer secret"}


def value(text, metric):
    found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)
    return None if found is None else float(found[1])


async def test_the_time_of_the_last_backup_is_told(database_url):
    database, before = Database(database_url), time.time()
    watching = asyncio.create_task(watch_backups(database))
    try:
        await note_backup(database, "dump")
        watching.cancel()
        watching = asyncio.create_task(watch_backups(database))

        async def told():
            return value(exposition()[0].decode(), 'fairlead_last_backup_timestamp_seconds{type="dump"}')

        assert before - 1 <= await eventually(told) <= time.time() + 1
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await database.close()


def test_the_end_of_the_certificate_is_told_and_another_one_is_seen(tmp_path):
    first, second = (datetime.now(UTC) + timedelta(days=each) for each in (2, 365))
    certificate, key = issue(tmp_path, "127.0.0.1", not_after=first)
    flags = ("--tls-cert-file", certificate, "--tls-private-key-file", key, "--workers", "1")
    with Serving(tmp_path / "data", *with_token(tmp_path, "secret"), *flags) as serving:
        either = client_context(certificate)
        either.verify_mode = ssl.CERT_NONE

        def ends():
            reply = httpx.get(f"{serving.url}/metrics", headers=AUTHORIZED, verify=either, timeout=30)
            return value(reply.text, 'fairlead_certificate_expiry_timestamp_seconds{use="api"}')

        assert until(ends) == pytest.approx(first.timestamp(), abs=1)
        issue(tmp_path, "127.0.0.1", not_after=second)
        until(lambda: ends() == pytest.approx(second.timestamp(), abs=1))
