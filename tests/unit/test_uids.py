"""Uids of new objects."""

from uuid import UUID

from app.uids import new_uid


def test_uids_are_ordered_as_they_were_made():
    made = [new_uid() for _ in range(2000)]
    # Two may be made within the same quarter of a microsecond.
    assert [each[:18] for each in made] == sorted(each[:18] for each in made)
    assert len(set(made)) == len(made)
    assert {(UUID(each).version, UUID(each).variant) for each in made} == {(7, UUID(made[0]).variant)}
