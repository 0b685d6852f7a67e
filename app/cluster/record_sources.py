"""What DNS records are computed from: Services, and StaticAddresses with a public name."""

from collections.abc import Iterable

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.encoding import decode_object, shared_object
from app.domain.wanted.dns_records import Records
from app.domain.wanted.public_records import static_records
from app.domain.wanted.service_records import record_names, service_records
from app.mirror.entry import Entry, NamespacedName
from app.mirror.mirror import Mirror

SOURCES = (SERVICE.key, STATIC_ADDRESS.key)
"""The kinds of sources."""

_STATIC = "/static"
"""How the second part of a StaticAddress's name as a source ends; no name of an object has a slash."""


def source_name(entry: Entry) -> NamespacedName:
    """The name of a source among all sources: a Service and a StaticAddress may have the same name."""
    return entry.namespace, entry.name if entry.kind == SERVICE.key else entry.name + _STATIC


def source_at(mirror: Mirror, name: NamespacedName) -> Entry | None:
    """The source with a name, or None."""
    namespace, text = name
    if text.endswith(_STATIC):
        return mirror.get(STATIC_ADDRESS.key, namespace, text.removesuffix(_STATIC))
    return mirror.get(SERVICE.key, namespace, text)


def records_of(source: Entry, slices: Iterable[Entry], domain: str) -> list[Records]:
    """All records of a source.

    Args:
        source: A Service or a StaticAddress.
        slices: Of a Service; only a headless one needs them.
        domain: The cluster's, without the dot at the end.
    """
    if source.kind == STATIC_ADDRESS.key:
        return list(static_records(decode_object(STATIC_ADDRESS, source.wire)))
    service = shared_object(SERVICE, source.wire)
    needed = slices if service.spec.cluster_ip == "None" else ()
    return service_records(service, [decode_object(ENDPOINT_SLICE, entry.wire) for entry in needed], domain)


def names_of(source: Entry, domain: str) -> set[str]:
    """The names of all records of a source that is not headless: faster than its records. Arguments as there."""
    if source.kind == STATIC_ADDRESS.key:
        return {each.name for each in records_of(source, (), domain)}
    return record_names(shared_object(SERVICE, source.wire), domain)
