"""Ranges and sets of addresses: what is written, what it means, and what is left of it."""

import pytest

from app.domain.rules.address_ranges import address_number, address_text, pool_range, range_of, service_range
from app.domain.rules.address_sets import AddressSet


def texts(*ranges):
    return AddressSet.of(map(range_of, ranges))


class TestRanges:
    @pytest.mark.parametrize("text", ["10.0.0.9-10.0.0.4", "10.0.0.1-fd00::1", "x", "10.0.0.1/24", "1-2-3"])
    def test_nonsense_is_refused(self, text):
        with pytest.raises(ValueError, match=r"."):
            pool_range(text)

    def test_says_what_is_wrong(self):
        with pytest.raises(ValueError, match=r"^'10.0.0.9-10.0.0.4' is no range: write the lower address first, both"):
            range_of("10.0.0.9-10.0.0.4")

    def test_a_service_range_has_no_host_bits(self):
        with pytest.raises(ValueError, match="has host bits set"):
            service_range("10.0.0.1/24")

    @pytest.mark.parametrize("text", ["0.0.0.1", "10.96.0.255", "255.255.255.255", "::", "fd00::1", "ffff::"])
    def test_addresses_are_numbers(self, text):
        assert address_text(*address_number(text)) == text

    def test_covers(self):
        part = service_range("10.0.0.0/29")
        assert [part.covers(address) for address in ("10.0.0.0", "10.0.0.1", "10.0.0.6", "10.0.0.7", "fd00::1")] == [
            False,
            True,
            True,
            False,
            False,
        ]


class TestSets:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ([], []),
            (["10.0.0.0/24"], ["10.0.0.0/24"]),
            (["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24"]),
            (["10.0.0.5", "10.0.0.4"], ["10.0.0.4/31"]),
            (["10.0.0.7"], ["10.0.0.7"]),
            (["10.0.0.7-10.0.0.9", "10.0.0.1", "10.0.0.8"], ["10.0.0.1", "10.0.0.7-10.0.0.9"]),
            (["fd00::/64", "10.0.0.0/8"], ["10.0.0.0/8", "fd00::/64"]),
        ],
    )
    def test_are_told_briefly(self, given, told):
        assert texts(*given).texts() == told

    @pytest.mark.parametrize(
        ("one", "other", "left", "common"),
        [
            (["10.0.0.0/29"], [], ["10.0.0.0/29"], []),
            (["10.0.0.0/29"], ["10.0.0.0/29"], [], ["10.0.0.0/29"]),
            (["10.0.0.0/29"], ["10.0.0.3"], ["10.0.0.0-10.0.0.2", "10.0.0.4/30"], ["10.0.0.3"]),
            (["10.0.0.0/29", "10.1.0.0/29"], ["10.0.0.4-10.1.0.3"], ["10.0.0.0/30", "10.1.0.4/30"], None),
            (["10.0.0.0/29"], ["fd00::/64"], ["10.0.0.0/29"], []),
            (["10.0.0.0/24"], ["10.0.0.0", "10.0.0.255", "9.0.0.0/8"], ["10.0.0.1-10.0.0.254"], None),
        ],
    )
    def test_less_others(self, one, other, left, common):
        assert (texts(*one) - texts(*other)).texts() == left
        if common is not None:
            assert (texts(*one) & texts(*other)).texts() == common

    def test_together(self):
        assert (texts("10.0.0.0/25") | texts("10.0.0.128/25", "fd00::1")).texts() == ["10.0.0.0/24", "fd00::1"]

    def test_contain(self):
        some = texts("10.0.0.0/29", "fd00::1")
        inside = {"10.0.0.0": True, "10.0.0.7": True, "10.0.0.8": False, "9.9.9.9": False, "fd00::1": True}
        assert {address: address in some for address in inside} == inside
        assert "10.0.0.1" not in AddressSet()

    def test_size_and_truth(self):
        assert (texts("10.0.0.0/8").size(4), texts("10.0.0.0/8").size(6)) == (2**24, 0)
        assert texts("10.0.0.1")
        assert not texts()

    def test_bounds(self):
        assert list(texts("10.0.0.0/29", "fd00::1").bounds()) == [("10.0.0.0", "10.0.0.7"), ("fd00::1", "fd00::1")]
