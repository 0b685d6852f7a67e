"""Pages that put several kinds together: data planes, the audit log, DNS, and what this server is."""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.responses import Response

from app.console.api_client import SELF_REVIEW, SELF_REVIEWS, Document, Refused
from app.console.visit import AUDIT_TAIL, Visit, listed

_OWN = "/apis/fairlead.io/v1"
_AUDIT_EVENTS = 500
_SERIALS = 2**32
"""Serials of zones begin again then (RFC 1982)."""


async def data_planes(visit: Visit) -> Response:
    """The programs that take traffic, and how far behind each is."""
    listed = await visit.api.get(f"{_OWN}/dataplanes")
    newest = int(listed["metadata"]["resourceVersion"])
    planes = [(each, each.get("status") or {}, _truths(each), _behind(each, newest)) for each in listed["items"]]
    return await visit.page("data_planes.html", planes=planes, stream="/console/changes/dataplanes")


async def audit(visit: Visit) -> Response:
    """The end of the audit log."""
    text = visit.query("text").lower()
    reads = bool(visit.query("reads"))
    told = await visit.api.get(AUDIT_TAIL, limit=str(_AUDIT_EVENTS), **({} if reads else {"writes": "true"}))
    # What the console asks about its own user is no write, though it is sent as one.
    events = [each for each in told["events"] if reads or "/self" not in each.get("requestURI", "")]
    rows = [row for row in map(_audit_row, events) if text in " ".join(row).lower()]
    return await visit.page("audit.html", told=told, rows=rows, text=visit.query("text"), reads=reads)


async def dns(visit: Visit) -> Response:
    """Zones, how far behind the servers with copies of them are, and the records of a name."""
    name = visit.query("name").lower().rstrip(".")
    found = []
    if name:
        records = await visit.api.get(f"{_OWN}/dnsrecordsets", resourceVersion="0")
        found = [each for each in records["items"] if each["spec"]["name"].rstrip(".").lower() == name]
    zones = await listed(visit, f"{_OWN}/dnszones")
    servers = [
        (zone, server, serials_behind(zone, server))
        for zone in zones
        for server in (zone.get("status") or {}).get("servers") or []
    ]
    return await visit.page("dns.html", zones=zones, servers=servers, name=name, records=found)


async def about(visit: Visit) -> Response:
    """The version, the health, and who does what."""
    version = await visit.api.get("/version")
    health = _checks(await visit.api.get_text("/readyz", verbose="1"))
    try:
        user = (await visit.api.write("POST", SELF_REVIEWS, SELF_REVIEW)).document
    except Refused as error:
        if error.code == HTTPStatus.UNAUTHORIZED or error.refuses_strangers:
            raise
        user = {}
    endpoints = await listed(visit, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")
    work = await _work(visit)
    return await visit.page(
        "about.html",
        processes=None if work is None else _processes(work["items"]),
        database="" if work is None else work.get("database", ""),
        planes=await listed(visit, f"{_OWN}/dataplanes"),
        told=version,
        health=health,
        user=(user.get("status") or {}).get("userInfo") or {},
        addresses=[
            address
            for each in endpoints
            if (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == "kubernetes"
            for endpoint in each.get("endpoints") or []
            for address in endpoint["addresses"]
        ],
    )


async def _work(visit: Visit) -> Document | None:
    """Which process works on what, and in which database; None if the user may not see it."""
    try:
        return await visit.api.get("/leases")
    except Refused:
        return None


def _truths(plane: Document) -> Document:
    conditions = (plane.get("status") or {}).get("conditions") or []
    return {each["type"]: each for each in conditions}


def _behind(plane: Document, newest: int) -> int:
    """By how many revisions a data plane is behind; 0 where it says that it has taken over everything."""
    is_current = _truths(plane).get("Current", {}).get("status") == "True"
    return 0 if is_current else max(0, newest - int((plane.get("status") or {}).get("revision") or 0))


def serials_behind(zone: Document, server: Document) -> int:
    """By how many revisions a server's copy of a zone is behind; 0 if it is not, or the server has none."""
    serial = server.get("serial") or 0
    if not serial or server.get("state") == "Current":
        return 0
    behind = (int(zone["status"].get("serial") or 0) - int(serial)) % _SERIALS
    # A secondary may have a serial that the status does not know yet.
    return behind if behind < _SERIALS // 2 else 0


def _audit_row(event: Document) -> tuple[str, str, str, str, str, str]:
    user = (event.get("impersonatedUser") or event.get("user") or {}).get("username", "")
    code = (event.get("responseStatus") or {}).get("code", "")
    source = ", ".join(event.get("sourceIPs") or [])
    return (
        event.get("stageTimestamp", ""),
        user,
        event.get("verb", ""),
        event.get("requestURI", ""),
        str(code),
        source,
    )


def _checks(told: str) -> list[tuple[str, bool, str]]:
    """The checks of `/readyz?verbose`, `[+]ping ok` a line: name, whether it passed, and what it says besides."""
    lines = (line for line in told.splitlines() if line.startswith(("[+]", "[-]")))
    found = ((line[3:].partition(" "), line.startswith("[+]")) for line in lines)
    return [(name, passed, "" if passed and rest == "ok" else rest) for (name, _, rest), passed in found]


def _processes(leases: Iterable[Document]) -> list[Document]:
    """Each process that works on something. Its holder's name is `machine/number/...`."""
    works: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for lease in leases:
        machine, _, rest = lease["holder"].partition("/")
        # Presence is a lease of each process, whose name repeats what the row says: api/ADDRESS/PORT/HOLDER.
        name = lease["name"].removesuffix(f"/{lease['holder']}")
        works.setdefault((machine, rest.partition("/")[0]), []).append((name, lease["epoch"]))
    return [{"machine": machine, "number": number, "works": held} for (machine, number), held in sorted(works.items())]
