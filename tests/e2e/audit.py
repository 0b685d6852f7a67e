"""What the tables say, read by SQL: counted and compared without a line of the product's own rules."""

import json
from collections import Counter
from ipaddress import ip_address, ip_network

import asyncpg

CLAIMS = ("cluster_ips", "node_ports", "lb_addresses", "lb_ports")
SERVICE_CIDR = ip_network("10.96.0.0/16")
NODE_PORTS = range(30_000, 32_768)
POOLS = tuple(map(ip_network, ("10.224.0.0/16", "198.18.0.0/16")))


async def rows(url, statement, *arguments):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


async def finished(url):
    """Whether every Service is published and waits for nothing."""
    (row,) = await rows(url, "SELECT count(*) FROM objects WHERE kind = 'services' AND (NOT published OR pending)")
    return row[0] == 0


async def claims_left(url):
    """Rows of each table of claims."""
    return {table: (await rows(url, f"SELECT count(*) FROM {table}"))[0][0] for table in CLAIMS}  # noqa: S608 - constants


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
    await check_claims(url)
    await check_log(url, load.record.writes)
    stored = (await services(url, load.namespace)).values()
    found = {document["metadata"]["name"]: document for document in stored}
    assert len(found) == len(stored), "a name is there twice"
    for subject in load.subjects:
        subject.conclude(found.get(subject.name))


def _with_revision(document, revision):
    document["metadata"]["resourceVersion"] = str(revision)
    return document


async def check_claims(url, *, cidr=SERVICE_CIDR, node_ports=NODE_PORTS, pools=POOLS):
    """What the Services show is what is held: nothing twice, nothing without an owner, nothing outside its range."""
    bodies = await rows(url, "SELECT uid::text, body FROM objects WHERE kind = 'services'")
    shown = {table: Counter() for table in CLAIMS}
    for uid, body in bodies:
        for table, key in _shown(json.loads(body)):
            shown[table][key, uid] += 1
    held = {
        "cluster_ips": "SELECT host(address), owner::text FROM cluster_ips",
        "node_ports": "SELECT port::text, owner::text FROM node_ports",
        "lb_addresses": "SELECT host(address), owner::text FROM lb_addresses",
        "lb_ports": "SELECT host(address) || '/' || protocol || '/' || port, owner::text FROM lb_ports",
    }
    for table, statement in held.items():
        found = Counter((key, uid) for key, uid in await rows(url, statement))
        assert set(found) == set(shown[table]), f"{table}: {set(found) ^ set(shown[table])}"
        twice = [key for key, count in Counter(key for key, _ in found).items() if count > 1]
        assert not twice, f"{table}: held twice: {twice}"
    assert all(ip_address(key) in cidr for key, _ in shown["cluster_ips"])
    assert all(int(key) in node_ports for key, _ in shown["node_ports"])
    assert all(any(ip_address(key) in pool for pool in pools) for key, _ in shown["lb_addresses"])
    return {table: len(counted) for table, counted in shown.items()}


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
    (compacted,) = (await rows(url, "SELECT compacted FROM compaction"))[0]
    log = await rows(
        url,
        "SELECT revision, type, uid::text, previous_revision, body, previous_body FROM changes"
        " WHERE kind = 'services' ORDER BY revision",
    )
    last, bodies, written = {}, {}, {}
    for revision, change, uid, previous, body, previous_body in log:
        if uid in last:
            assert change != "ADDED", f"{uid} was added twice"
            assert (previous, previous_body) == (last[uid], bodies[uid]), f"{uid} at {revision}: a change is missing"
        elif not compacted:
            assert change == "ADDED", f"{uid} begins with {change}"
        last[uid], bodies[uid] = (None, None) if change == "DELETED" else (revision, body)
        written[revision] = (uid, change, _mark(body))
    now = {row[0]: row[1] for row in await rows(url, "SELECT uid::text, revision FROM objects WHERE kind = 'services'")}
    assert {uid: revision for uid, revision in last.items() if revision} == {
        uid: revision for uid, revision in now.items() if uid in last
    }
    for write in acknowledged:
        if write.revision > compacted:
            assert written.get(write.revision) == (write.uid, write.type, write.mark), f"{write} was lost"


def _mark(body):
    return json.loads(body)["metadata"].get("annotations", {}).get("tests/mark", "")
