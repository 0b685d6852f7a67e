"""The status of a cluster as a text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_GAP = "   "


def status_text(status: Mapping[str, Any]) -> str:
    """What `status_of` gave, in sections; an empty one says so."""
    ready = "ready" if status["ready"] else "NOT READY"
    sections = [
        [f"{status['server']}  {status['version']}  {ready}", *_failed(status["checks"])],
        _section("processes", ("PROCESS", "WORKS ON"), ((p["process"], _works(p)) for p in status["processes"])),
        _section("data planes", ("NAME", "TYPE", "STATE", "SERVICES", "REJECTED"), map(_plane, status["dataPlanes"])),
        _section("zones", ("NAME", "KIND", "SERIAL", "SERVERS"), map(_zone, status["zones"])),
        _section("pools", ("NAME", "SCOPE", "FAMILY", "USED", "RESERVED", "FREE", "SIZE"), _pools(status["pools"])),
        list(_pending(status)),
    ]
    if status["unseen"]:
        sections.append(["not shown to you:", *(f"  {line}" for line in status["unseen"])])
    return "\n\n".join("\n".join(lines) for lines in sections)


def _failed(checks: Iterable[str]) -> Iterator[str]:
    return (f"  {line.removeprefix('[-]')}" for line in checks if line.startswith("[-]"))


def _works(process: Mapping[str, Any]) -> str:
    """What a process works on. Some leases name their holder, which the line does already."""
    names = [name.partition(f"/{process['process']}/")[0] for name in process["leases"]]
    shown = 4
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _section(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    table = [heads, *(list(map(str, row)) for row in rows)]
    if len(table) == 1:
        return [f"{title}: none"]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return [f"{title}:", *(f"  {line}" for line in lines)]


def _state(of: Mapping[str, Any]) -> str:
    return "; ".join(of["why"]) or ", ".join(of["conditions"]) or "unknown"


def _plane(plane: Mapping[str, Any]) -> Sequence[object]:
    return plane["name"], plane["type"], _state(plane), plane["services"], plane["rejected"]


def _zone(zone: Mapping[str, Any]) -> Sequence[object]:
    servers = ", ".join(f"{each['address']} {each['state']} {each['message']}".rstrip() for each in zone["servers"])
    return zone["name"], zone["kind"], zone["serial"], servers or "-"


def _pools(pools: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for pool in pools:
        for family in pool["families"]:
            numbers = (family[key] for key in ("used", "reserved", "free", "size"))
            yield pool["name"], pool["scope"], family["family"], *numbers


def _pending(status: Mapping[str, Any]) -> Iterator[str]:
    if not status["pendingCount"]:
        yield f"services: {status['services']}, and nothing is pending"
        return
    yield f"services: {status['services']}, of which {status['pendingCount']} are pending:"
    for each in status["pending"]:
        yield from (f"  {each['namespace']}/{each['name']}{_GAP}{why}" for why in each["why"])
    unshown = status["pendingCount"] - len(status["pending"])
    if unshown:
        yield f"  and {unshown} more"
