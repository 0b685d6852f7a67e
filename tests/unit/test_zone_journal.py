"""Serials and journals of zones."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.kinds.dns_zone import DNSZoneCheckpoint
from app.domain.rules.zone_serial import FARTHEST_LEAP, SERIALS, is_newer, next_offset, serial_of
from app.domain.rules.zone_status import renewed_checkpoint
from app.domain.wanted.zone_journal import Difference, Record, ZoneJournal, difference

BUMP = 10**9

NEWER = [(1, 0, True), (0, 1, False), (0, SERIALS - 1, True), (5, 5, False), (2**31, 0, False), (2**31 - 1, 0, True)]


@pytest.mark.parametrize(("serial", "other", "newer"), NEWER)
def test_which_serial_is_newer(serial, other, newer):
    assert is_newer(serial, other) is newer


@given(st.integers(1, 2**40), st.integers(0, FARTHEST_LEAP), st.integers(1, FARTHEST_LEAP))
def test_a_serial_that_goes_on_without_knowledge_is_newer(known, rest, leap):
    """`rest` is for how long the zone had not changed at the last checkpoint."""
    last = max(1, known - rest // 2)
    serial = serial_of(last, 0)
    offset = next_offset(known + leap, known, serial, 0)
    assert is_newer(serial_of(known + leap, offset), serial)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=30))
def test_serials_grow_over_bumps(steps):
    """After each step, which is a change or as many revisions that nobody saw, the serial is newer than before."""
    revision, checkpoint = 1, DNSZoneCheckpoint(1, 1, 0)
    for forward, is_bump in steps:
        revision += forward + 1 + BUMP * is_bump
        renewed = renewed_checkpoint(checkpoint, revision)
        assert is_newer(renewed.serial, checkpoint.serial)
        assert renewed.serial == serial_of(revision, renewed.offset)
        checkpoint = renewed


def test_two_bumps_at_once_do_not_turn_serials_back():
    checkpoint = DNSZoneCheckpoint(100, 90, 0)
    renewed = renewed_checkpoint(checkpoint, 100 + 3 * BUMP)
    assert is_newer(renewed.serial, 90)
    # It is beyond all that can have been given out between the backup and the bump.
    assert (renewed.serial - 90) % SERIALS > BUMP


def record(number):
    return Record(f"name-{number}.example.org.", "A", 60, f"192.0.2.{number}")


STATES = st.lists(st.frozensets(st.integers(0, 7).map(record)), min_size=2, max_size=12)


@given(STATES, st.integers(0, 1000), st.integers(1, 5))
def test_the_difference_since_any_known_serial_leads_to_the_present(states, floor, gap):
    journal = ZoneJournal("example.org", floor, serial_of(floor, 0), 0)
    serials = [journal.serial]
    for number, (before, after) in enumerate(pairwise(states), start=1):
        journal.add(floor + number * gap, difference(before, after))
        serials.append(journal.serial)
    for state, serial in zip(states, serials, strict=True):
        changed = journal.since(serial)
        assert (state - changed.removed) | changed.added == states[-1]
        assert changed.removed <= state
        assert not changed.added & state
    assert journal.since(serials[0] - 1 if floor else SERIALS - 1) is None


def test_a_journal_drops_what_is_oldest():
    journal = ZoneJournal("example.org", 10, 10, 0, limit=2)
    for number in range(1, 5):
        journal.add(10 + number, Difference(frozenset(), frozenset([record(number)])))
    assert (journal.floor, journal.serial) == (12, 14)
    assert journal.since(12).added == {record(3), record(4)}
    assert journal.since(11) is None
    assert journal.serial_at(13) == 13
    assert journal.serial_at(5) == 12


def test_what_is_known_already_is_not_added_again():
    journal = ZoneJournal("example.org", 10, 7, 3)
    journal.add(10, Difference(frozenset(), frozenset([record(1)])))
    assert journal.serial == 7
    journal.add(11, Difference(frozenset(), frozenset([record(1)])))
    assert journal.serial == 8


def test_serials_are_known_where_differences_are_not():
    journal = ZoneJournal("example.org", 10, 10, 0, limit=2)
    for number in range(1, 5):
        journal.add(10 + number, None)
    assert (journal.floor, journal.serial, journal.serial_at(13)) == (12, 14, 13)
    assert journal.since(13) is None
    assert journal.since(14) == Difference(frozenset(), frozenset())


def test_a_cut_makes_clients_read_the_whole_zone():
    journal = ZoneJournal("example.org", 10, 10, 0)
    journal.add(11, Difference(frozenset(), frozenset([record(1)])))
    journal.cut(12)
    assert journal.serial == 12
    assert journal.since(11) is None
    assert journal.since(12) == Difference(frozenset(), frozenset())
    assert journal.since(13) == Difference(frozenset(), frozenset())


def test_checkpoints():
    journal = ZoneJournal("example.org", 10, 7, 3)
    journal.add(20, Difference(frozenset(), frozenset([record(1)])))
    assert journal.checkpoint(15) == DNSZoneCheckpoint(15, 7, 3)
    assert journal.checkpoint(25) == DNSZoneCheckpoint(25, 17, 3)
    assert journal.checkpoint(5) == DNSZoneCheckpoint(10, 7, 3)
    assert all(journal.agrees(journal.checkpoint(each)) for each in (5, 10, 15, 20, 25))
    assert journal.agrees(DNSZoneCheckpoint(3, 999, 3))
    assert not journal.agrees(DNSZoneCheckpoint(15, 8, 3))
    assert not journal.agrees(DNSZoneCheckpoint(15, 7, 4))
