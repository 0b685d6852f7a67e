"""What the tables say, read by SQL: counted and compared without a line of the product's own rules."""

import json
from collections import Counter
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import asyncpg

from tests.e2e.waiting import eventually

CLAIMS = ("cluster_ips", "node_ports", "lb_addresses", "lb_ports")
SERVICE_CIDR = ip_network("10.96.0.0/16")
NODE_PORTS = range(30_000, 32_768)
POOLS = tuple(map(ip_network, ("10.224.0.0/16", "198.18.0.0/16")))


async def _primary(url):
    """A session of the primary, as soon as there is one. A standby may be behind."""

    async def attempt():
        # A host that is not well ends the search of asyncpg.
        try:
            return await asyncpg.connect(url, target_session_attrs="primary")
        except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError, asyncpg.InterfaceError):
            return None

    return await eventually(attempt)


async def rows(url, statement, *arguments):
    connection = await _primary(url)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


async def finished(url):
    """Whether every Service is published and waits for nothing."""
    (row,) = await rows(url, "SELECT count(*) FROM objects WHERE kind = 'services' AND (NOT published OR pending)")
    return row[0] == 0


async def services(url, namespace):
    """Every published Service of a namespace, by uid, as its body and revision say."""
    found = await rows(
        url,
        "SELECT uid::text, revision, body FROM objects WHERE kind = 'services' AND namespace = $1 AND published",
        namespace,
    )
    return {row["uid"]: _with_revision(json.loads(row["body"]), row["revision"]) for row in found}


async def check_everything(url, load):
    """The tables agree with themselves and with all that the clients of a load, which has ended, were told."""
    await check_claims(url, load.namespace)
    await check_log(url, load.record.writes)
    stored = (await services(url, load.namespace)).values()
    found = {document["metadata"]["name"]: document for document in stored}
    assert len(found) == len(stored), "a name is there twice"
    for subject in load.subjects:
        subject.conclude(found.get(subject.name))


def _with_revision(document, revision):
    document["metadata"]["resourceVersion"] = str(revision)
    return document


async def check_claims(url, namespace=None, *, cidr=SERVICE_CIDR, node_ports=NODE_PORTS, pools=POOLS):
    """What the Services show is what is held: nothing twice, nothing without an owner, nothing outside its range.

    Returns:
        How many claims of each table the Services of a namespace show, None for all.
    """
    async with _snapshot(url) as connection:
        bodies = await connection.fetch("SELECT uid::text, namespace, body FROM objects WHERE kind = 'services'")
        held = {table: await connection.fetch(statement) for table, statement in _HELD.items()}
    shown = {(table, key, uid) for uid, _, body in bodies for table, key in _shown(json.loads(body))}
    found = [(table, key, uid) for table, claims in held.items() for key, uid in claims]
    assert set(found) == shown, f"held and not shown, or shown and not held: {set(found) ^ shown}"
    twice = [thing for thing, count in Counter(thing[:2] for thing in found).items() if count > 1]
    assert not twice, f"held by several: {twice}"
    ours = {uid for uid, where, _ in bodies if namespace in (None, where)}
    keys = {table: [key for held_in, key, uid in shown if held_in == table and uid in ours] for table in CLAIMS}
    assert all(ip_address(key) in cidr for key in keys["cluster_ips"])
    assert all(int(key) in node_ports for key in keys["node_ports"])
    assert all(any(ip_address(key) in pool for pool in pools) for key in keys["lb_addresses"])
    return {table: len(of_table) for table, of_table in keys.items()}


_HELD = {
    "cluster_ips": "SELECT host(address), owner::text FROM cluster_ips",
    "node_ports": "SELECT port::text, owner::text FROM node_ports",
    "lb_addresses": "SELECT host(address), owner::text FROM lb_addresses",
    "lb_ports": "SELECT host(address) || '/' || protocol || '/' || port, owner::text FROM lb_ports",
}


@asynccontextmanager
async def _snapshot(url):
    connection = await _primary(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


def _shown(document):
    """Claims, once each, that a Service's document stands for."""
    spec = document["spec"]
    keys = {("cluster_ips", address) for address in spec.get("clusterIPs") or [] if address != "None"}
    keys |= {("node_ports", str(port["nodePort"])) for port in spec.get("ports") or [] if port.get("nodePort")}
    if spec.get("healthCheckNodePort"):
        keys.add(("node_ports", str(spec["healthCheckNodePort"])))
    for item in document.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
        keys.add(("lb_addresses", item["ip"]))
        keys |= {("lb_ports", f"{item['ip']}/{port['protocol']}/{port['port']}") for port in spec["ports"]}
    return keys


async def check_log(url, acknowledged):
    """Every object's changes are one unbroken chain that ends in its row; every acknowledged write is in one."""
    async with _snapshot(url) as connection:
        compacted = await connection.fetchval("SELECT compacted FROM compaction")
        log = await connection.fetch(
            "SELECT revision, type, uid::text, previous_revision, body, previous_body FROM changes"
            " WHERE kind = 'services' ORDER BY revision"
        )
        now = dict(await connection.fetch("SELECT uid::text, revision FROM objects WHERE kind = 'services'"))
    last, bodies, written = {}, {}, {}
    for revision, change, uid, previous, body, previous_body in log:
        if uid in last:
            assert change != "ADDED", f"{uid} was added twice"
            assert (previous, previous_body) == (last[uid], bodies[uid]), f"{uid} at {revision}: a change is missing"
        elif not compacted:
            assert change == "ADDED", f"{uid} begins with {change}"
        last[uid], bodies[uid] = (None, None) if change == "DELETED" else (revision, body)
        written[revision] = (uid, change, _mark(body))
    assert {uid: revision for uid, revision in last.items() if revision} == {
        uid: revision for uid, revision in now.items() if uid in last
    }
    for write in acknowledged:
        if write.revision > compacted:
            found = written.get(write.revision)
            assert found == (write.uid, write.type, write.mark), f"{write} was lost: the log has {found} there"


async def has_seen_all(url, namespace, events):
    """Whether somebody has seen all that the log still holds of a namespace's Services, each change once, in order."""
    log = await rows(
        url,
        "SELECT revision, type, body FROM changes WHERE kind = 'services' AND namespace = $1 ORDER BY revision",
        namespace,
    )
    written = {revision: (change, _mark(body)) for revision, change, body in log}
    assert list(events) == sorted(events)
    seen = {revision: event for revision, event in events.items() if revision >= min(written)}
    assert seen.items() <= written.items(), "somebody has seen what never was"
    return len(seen) == len(written)


def _mark(body):
    return json.loads(body)["metadata"].get("annotations", {}).get("tests/mark", "")
