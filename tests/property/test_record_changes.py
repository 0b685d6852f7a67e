"""What each change of the log changed in DNS records: as if all records were computed anew after each."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.cluster.record_changes import record_changes
from app.cluster.record_sources import records_of
from app.cluster.service_slices import ServiceSlices
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL
from app.domain.wanted.zone_journal import each_record
from app.mirror.entry import Change, Entry

DOMAIN = "cluster.local"
SERVICES = {"a": "10.0.0.1", "b": "10.0.0.2"}
SPECS = ("ClusterIP", "headless", "ExternalName")


class Mirrored:
    """As much of a mirror as the records need."""

    def __init__(self, entries=None):
        self.entries = dict(entries or {})
        self._told = lambda _changes: None

    def subscribe(self, changed, _reloaded, _kinds):
        self._told = changed

    def get(self, kind, namespace, name):
        return self.entries.get((kind, namespace, name))

    def list(self, kind, _namespace):
        return [entry for entry in self.entries.values() if entry.kind == kind]

    def apply(self, changes):
        self._told(changes)


def service(name, spec, label):
    specs = {
        "ClusterIP": {"type": "ClusterIP", "clusterIP": SERVICES[name], "clusterIPs": [SERVICES[name]]},
        "headless": {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]},
        "ExternalName": {"type": "ExternalName", "externalName": "elsewhere.example"},
    }
    return {"metadata": {"name": name, "namespace": "shop", "labels": {"l": label}}, "spec": specs[spec]}


def endpoint_slice(name, owner, address):
    meta = {"name": name, "namespace": "shop", "labels": {SERVICE_NAME_LABEL: owner} if owner else {}}
    return {"metadata": meta, "addressType": "IPv4", "endpoints": [{"addresses": [address]}]}


SERVICE_STEPS = st.builds(
    lambda name, spec, label: (SERVICE.key, name, spec and service(name, spec, label)),
    st.sampled_from(sorted(SERVICES)),
    st.sampled_from((*SPECS, None)),
    st.sampled_from("xy"),
)
SLICE_STEPS = st.builds(
    lambda name, owner, address: (ENDPOINT_SLICE.key, name, address and endpoint_slice(name, owner, address)),
    st.sampled_from("st"),
    st.sampled_from((*sorted(SERVICES), "")),
    st.sampled_from(("10.1.0.1", "10.1.0.2", None)),
)


def step(entries, revision, kind, name, document):
    """Change the entries; answers the change, None if there was nothing to delete."""
    place = (kind, "shop", name)
    previous = entries.get(place)
    if document is None:
        if previous is None:
            return None
        del entries[place]
        return Change(revision, "DELETED", previous.at(revision), previous)
    wire = msgspec.json.encode({**document, "metadata": {"resourceVersion": str(revision), **document["metadata"]}})
    entry = entries[place] = Entry(*place, f"{kind}-{name}", revision, wire)
    return Change(revision, "MODIFIED" if previous else "ADDED", entry, previous)


def all_records(entries):
    mirror = Mirrored(entries)
    slices = ServiceSlices(mirror)
    found = set()
    for entry in mirror.list(SERVICE.key, None):
        found.update(each_record(records_of(entry, slices.entries_of((entry.namespace, entry.name)), DOMAIN)))
    return found


@given(st.lists(st.lists(SERVICE_STEPS | SLICE_STEPS, min_size=1, max_size=8), max_size=4))
def test_each_change_is_told_as_if_all_were_computed_anew(batches):
    mirror = Mirrored()
    slices = ServiceSlices(mirror)
    revision = 0
    for batch in batches:
        changes, wanted = [], []
        entries = dict(mirror.entries)
        for each in batch:
            revision += 1
            before = all_records(entries)
            change = step(entries, revision, *each)
            after = all_records(entries)
            if change is not None:
                changes.append(change)
            if before != after:
                wanted.append((revision, (before - after, after - before)))
        mirror.entries = entries
        mirror.apply(changes)
        found = [(each.revision, tuple(each.changed())) for each in record_changes(changes, mirror, slices, DOMAIN)]
        assert found == wanted
        names = [each.names for each in record_changes(changes, mirror, slices, DOMAIN)]
        assert names == [{record.name for side in changed for record in side} for _, changed in wanted]
