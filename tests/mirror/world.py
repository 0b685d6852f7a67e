"""Random writes through the store's writer, and what SQL says came of them."""

import json
import random
import uuid

import asyncpg

from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.service import Service
from app.store.writes import Committed, Write

SERVICES = "services"
NAMESPACES = ("blue", "green")


def body_of(kind, namespace, name, uid, note="", padding=0):
    metadata = ObjectMeta(name=name, namespace=namespace or None, uid=uid, annotations={"note": note})
    if padding:
        metadata.annotations["padding"] = "x" * padding
    return encode_body(Service(api_version="v1", kind=kind, metadata=metadata))


def create(namespace, name, note="", *, uid=None, published=True, kind=SERVICES, padding=0):
    uid = uid or str(uuid.uuid4())
    body = body_of(kind, namespace, name, uid, note, padding)
    return Write("create", kind, namespace, name, uid, body, published=published, pending=not published)


def update(entry, note, action="update", **options):
    body = body_of(entry.kind, entry.namespace, entry.name, entry.uid, note)
    return Write(action, entry.kind, entry.namespace, entry.name, entry.uid, body, **options)


def delete(entry):
    return update(entry, "deleted", "delete")


async def committed(writer, write):
    """Write, and answer the revision."""
    outcome = await writer.write(write)
    assert isinstance(outcome, Committed), outcome
    return outcome.revision


async def make_namespaces(writer):
    for name in NAMESPACES:
        await committed(writer, create("", name, kind="namespaces"))


def note_of(entry):
    return json.loads(entry.wire)["metadata"]["annotations"]["note"]


async def stored(url):
    """Every published object as SQL has it: place to revision and wire bytes."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT kind, namespace, name, revision, body FROM objects WHERE published")
    finally:
        await connection.close()
    return {
        (row["kind"], row["namespace"], row["name"]): (row["revision"], wire_bytes(row["body"], row["revision"]))
        for row in rows
    }


def held(mirror):
    """Every object the mirror holds, in the form of `stored`."""
    return {
        (entry.kind, entry.namespace, entry.name): (entry.revision, entry.wire)
        for kind in (SERVICES, "namespaces")
        for entry in mirror.list(kind, None)
    }


class Chaos:
    """One writer that creates, updates, deletes and creates again, blindly or by the mirror it reads."""

    def __init__(self, writer, mirror, seed):
        self._writer = writer
        self._mirror = mirror
        self._random = random.Random(seed)

    async def run(self, steps, names=12):
        for step in range(steps):
            namespace = self._random.choice(NAMESPACES)
            entry = self._mirror.get(SERVICES, namespace, name := f"s{self._random.randrange(names)}")
            if entry is None:
                write = create(namespace, name, f"created in step {step}", published=self._random.random() < 0.8)
                if not write.published:
                    # What nobody can see must not show up, and must show up as one ADDED when it is published.
                    await self._writer.write(write)
                    write = Write("publish", SERVICES, namespace, name, write.uid, write.body)
            elif self._random.random() < 0.3:
                write = delete(entry)
            else:
                write = update(entry, f"step {step}")
            await self._writer.write(write)
