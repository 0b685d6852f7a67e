"""Which changes of a DNSZone have its status looked at again."""

import pytest

from app.controllers.zone_serials import ZoneSerials
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.kinds.dns_zone import DNSServer, DNSZone, DNSZoneCheckpoint, DNSZoneServer
from app.domain.kinds.meta import Condition
from app.mirror.entry import Change, Entry


def state(revision, change=id):
    zone = DNSZone(api_version=DNS_ZONE.api_version, kind=DNS_ZONE.name)
    zone.metadata.name = zone.spec.name = "example.org"
    change(zone)
    return Entry(DNS_ZONE.key, "", "example.org", "uid", revision, wire_bytes(encode_body(zone), revision))


def named(type_, before, after):
    zones = ZoneSerials(None, None, None, None)
    return list(zones.keys_of([Change(after.revision, type_, after, before)]))


def test_a_new_serial_alone_is_the_controllers_own_write():
    assert named("MODIFIED", state(1), state(2, lambda zone: setattr(zone.status, "serial", 7))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda zone: setattr(zone.spec, "secondaries", [DNSServer("192.0.2.1")]),
        lambda zone: setattr(zone.status, "servers", [DNSZoneServer("192.0.2.1", 7)]),
        lambda zone: setattr(zone.status, "checkpoint", DNSZoneCheckpoint(1, 1, 0)),
        lambda zone: setattr(zone.status, "conditions", [Condition("Ready", "False")]),
        lambda zone: setattr(zone.metadata, "labels", {"a": "b"}),
    ],
)
def test_whatever_else_changes_is_looked_at(change):
    assert named("MODIFIED", state(1), state(2, change)) == [("", "example.org")]


def test_a_zone_that_comes_is_looked_at_and_one_that_goes_is_not():
    assert named("ADDED", None, state(1)) == [("", "example.org")]
    assert named("DELETED", state(1), state(2)) == []
