"""Serials of zones: made from revisions, and compared as RFC 1982 says.

The serial of a zone is the revision of its last change less an offset, which stays as it is unless revisions leap.
"""

SERIALS = 2**32
"""Serials are numbers below this; after the last one comes 0 again."""

_HALF = SERIALS // 2

FARTHEST_LEAP = 2**30
"""A serial never grows by more where changes are not known, so that secondaries still see that it grew. It is more than
the revisions that anybody can have been given between a backup and its restoring."""

LONGEST_REST = 2**29
"""A zone that did not change for so many revisions counts as changed: else its next serial would look older."""


def serial_of(revision: int, offset: int) -> int:
    """The serial of a zone whose last change has a revision."""
    return (revision - offset) % SERIALS


def is_newer(serial: int, other: int) -> bool:
    """Whether a serial comes after another one (RFC 1982, section 3.2). Of two that are 2^31 apart, neither does."""
    return 0 < (serial - other) % SERIALS < _HALF


def next_offset(revision: int, known_revision: int, serial: int, offset: int) -> int:
    """The offset by which serials go on where it is not known what changed; the zone counts as changed now.

    Args:
        revision: Of now.
        known_revision: Up to which it is known what changed.
        serial: Of the zone, as of then.
        offset: By which it was made.
    """
    if revision - known_revision <= FARTHEST_LEAP:
        return offset
    return revision - serial - FARTHEST_LEAP
