"""Pages about addresses: pools, who holds what of them, and who held what before."""

from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import quote, urlencode

from starlette.responses import Response

from app.console.api_client import Document, Refused
from app.console.diagrams import bar, plot
from app.console.visit import Visit, listed

_OWN = "/apis/fairlead.io/v1"
_PAGE = 50
_SERVICE_NAME = "kubernetes.io/service-name"


async def pools(visit: Visit) -> Response:
    """Pools with their use, and static addresses."""
    found = (await visit.api.get(f"{_OWN}/addresspools"))["items"]
    return await visit.page(
        "addresses.html",
        pools=[(pool, _families(pool), await _forecast(visit, pool)) for pool in found],
        statics=await listed(visit, f"{_OWN}/staticaddresses"),
        stream="/console/changes/addresspools",
    )


async def history(visit: Visit) -> Response:
    """Who holds and held which address, by address, namespace or holder."""
    asked = {name: visit.query(name) for name in ("address", "namespace", "name")}
    selector = ",".join(f"{name}={value}" for name, value in asked.items() if value)
    query = {"limit": str(_PAGE), "continue": visit.query("continue")}
    problem, found = None, Document()
    try:
        found = await visit.api.get(f"{_OWN}/addresshistory", fieldSelector=selector, **query)
    except Refused as error:
        if error.code != HTTPStatus.BAD_REQUEST:
            raise
        problem = error
    token = (found.get("metadata") or {}).get("continue", "")
    return await visit.page(
        "history.html",
        asked=asked,
        problem=problem,
        claims=[each["spec"] for each in found.get("items", [])],
        next=f"?{urlencode({**asked, 'continue': token})}" if token else "",
    )


async def holders(visit: Visit) -> Response:
    """Which Services and StaticAddresses hold addresses of a pool, a page of load balancers at a time."""
    pool = visit.request.path_params["pool"]
    spec = (await visit.api.get(f"{_OWN}/addresspools/{quote(pool, safe='')}"))["spec"]
    # A search finds more than the pool's own, such as a Service with its name, and misses none.
    query = {"search": pool, "limit": str(_PAGE), "continue": visit.query("continue")}
    page = await visit.api.get(f"{_OWN}/loadbalancers", **query)
    # Those that Services use come with load balancers, on any page; here are those that nobody uses.
    names = [] if query["continue"] else [pool, *(spec.get("aliases") or [])]
    statics = [
        each
        for name in names
        for each in await listed(visit, f"{_OWN}/staticaddresses", fieldSelector=f"spec.pool={name}")
    ]
    token = page["metadata"].get("continue", "")
    return await visit.page(
        "holders.html",
        pool=pool,
        holders=_holders(pool, page["items"], statics),
        next=f"?{urlencode({'continue': token})}" if token else "",
        url=f"{visit.request.url.path}?{visit.request.url.query}",
        stream=f"/console/changes/loadbalancers?{urlencode({'text': pool})}",
    )


def _holders(pool: str, balancers: Iterable[Document], statics: Iterable[Document]) -> list[Document]:
    """A row for each address: the StaticAddress that holds it or None, the Services that use it, its public name."""
    rows: dict[str, Document] = {}
    for balancer in balancers:
        namespace, name = balancer["metadata"]["namespace"], balancer["metadata"]["labels"][_SERVICE_NAME]
        for frontend in balancer["spec"]["frontends"]:
            if frontend.get("pool") == pool:
                static = _static(frontend.get("staticAddress", ""), namespace)
                row = _row(rows, frontend["address"], static, frontend.get("fqdn", ""))
                row["services"] += [] if (namespace, name) in row["services"] else [(namespace, name)]
    for each in statics:
        metadata, status = each["metadata"], each.get("status") or {}
        if status.get("address") and not status.get("users"):
            _row(rows, status["address"], (metadata["namespace"], metadata["name"]), status.get("fqdn", ""))
    return [rows[address] for address in sorted(rows, key=_order)]


def _row(rows: dict[str, Document], address: str, static: tuple[str, str] | None, fqdn: str) -> Document:
    return rows.setdefault(address, {"address": address, "static": static, "services": [], "fqdn": fqdn})


def _static(text: str, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of a StaticAddress, which a load balancer writes without its own namespace."""
    before, _, name = text.rpartition("/")
    return (before or namespace, name) if text else None


def _order(address: str) -> tuple[int, int]:
    found = ip_address(address)
    return found.version, int(found)


def _families(pool: Document) -> list[tuple[Document, str]]:
    """The numbers of each family of a pool, and a bar."""
    families = (pool.get("status") or {}).get("families") or []
    return [(family, bar(family["used"] + family["reserved"], family["size"])) for family in families]


async def _forecast(visit: Visit, pool: Document) -> list[tuple[Document, str]]:
    """When a pool will be full, for each family; nothing if the server does not tell."""
    try:
        told = await visit.api.get(f"{_OWN}/addresspools/{pool['metadata']['name']}/forecast")
    except Refused:
        return []
    return _plots(list((told.get("status") or {}).get("families") or []))


def _plots(families: list[Document]) -> list[tuple[Document, str]]:
    """Each family of a forecast, with its use at the beginning of each window and now, as a plot."""
    return [(family, plot(_points(family), family["size"])) for family in families]


def _points(family: Document) -> list[tuple[float, int]]:
    """What was used then is what is used now, without what was taken since, and with what was released since."""
    found = {
        -float(window["observedDays"]): max(0, family["used"] - window["taken"] + window["released"])
        for window in family["windows"]
    }
    return [*sorted(found.items()), (0.0, family["used"])]
