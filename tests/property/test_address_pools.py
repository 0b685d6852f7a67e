"""What holds of AddressPools whatever is sent."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.rules.address_pool import leaving_addresses, usable_addresses
from app.domain.rules.address_pools import described_pools
from app.domain.rules.address_ranges import range_of
from app.domain.rules.address_sets import AddressSet
from tests.unit.rule_runner import CLUSTER, parse

RULES = ADDRESS_POOL.strategy
SERVICE_CIDRS = ("10.96.0.0/28", "fd00::/124")
AT = replace(CLUSTER, service_cidrs=SERVICE_CIDRS)

NUMBERS = st.integers(0, 47)
RANGES = st.one_of(
    st.tuples(NUMBERS, st.sampled_from([28, 29, 30, 31, 32])).map(
        lambda pair: f"10.96.0.{pair[0] >> (32 - pair[1]) << (32 - pair[1])}/{pair[1]}"
    ),
    st.tuples(NUMBERS, st.integers(0, 9)).map(lambda pair: f"10.96.0.{pair[0]}-10.96.0.{pair[0] + pair[1]}"),
    st.tuples(NUMBERS, st.integers(0, 9)).map(lambda pair: f"fd00::{pair[0]:x}-fd00::{pair[0] + pair[1]:x}"),
    NUMBERS.map("10.96.0.{}".format),
)
TEXTS = st.one_of(RANGES, st.text(max_size=12), st.sampled_from(["-", "/", "::/0", "0.0.0.0/0", "1.2.3.4-", "::1-::1"]))


def documents(texts):
    return st.fixed_dictionaries(
        {"addresses": st.lists(texts, max_size=4)},
        optional={
            "scope": st.sampled_from(["internal", "external", "else", ""]),
            "exclude": st.lists(texts, max_size=3),
            "aliases": st.lists(st.text(max_size=5), max_size=3),
            "priority": st.integers(-(2**31), 2**31 - 1),
            "drain": st.booleans(),
            "reuseAfterSeconds": st.integers(-1, 2**31 - 1),
        },
    )


def judged(name, spec, others, second=0):
    """A pool, and what is wrong with it beside others."""
    stamp = f"2026-01-01T00:00:{second:02d}Z"
    obj = parse(ADDRESS_POOL, {"metadata": {"name": name, "creationTimestamp": stamp}, "spec": spec})
    RULES.default(obj)
    at = replace(AT, pools=described_pools(others, SERVICE_CIDRS, {}))
    return obj, RULES.validate_create(obj, at)


@given(documents(TEXTS))
@settings(max_examples=400, deadline=None)
def test_no_document_makes_a_rule_fail(spec):
    obj, causes = judged("it", spec, [])
    assert all(cause.field.startswith(("spec.", "metadata.")) and cause.message for cause in causes)
    if not causes:
        assert usable_addresses(obj.spec)
        assert not usable_addresses(obj.spec) & AddressSet.of(map(range_of, SERVICE_CIDRS))
        RULES.warnings(obj, None, AT)


SPECS = documents(RANGES).map(lambda spec: {**spec, "scope": "external", "aliases": [], "reuseAfterSeconds": 0})


@given(st.lists(SPECS, max_size=5))
@settings(max_examples=300, deadline=None)
def test_pools_that_were_accepted_one_after_the_other_have_no_address_in_common(specs):
    accepted = []
    for number, spec in enumerate(specs):
        obj, causes = judged(f"pool-{number}", spec, accepted, number)
        if not causes:
            accepted.append(obj)
    described = described_pools(accepted, SERVICE_CIDRS, {})
    assert [each.overlap for each in described] == [""] * len(accepted)
    assert [each.usable for each in described] == [usable_addresses(each.spec) for each in accepted]


@given(st.lists(SPECS, max_size=5))
@settings(max_examples=300, deadline=None)
def test_whatever_was_stored_at_the_same_moment_no_address_is_in_two_pools(specs):
    stored = []
    for number, spec in enumerate(specs):
        obj, _ = judged(f"pool-{number}", spec, [], number % 2)
        stored.append(obj)
    described = described_pools(stored, SERVICE_CIDRS, {})
    taken = AddressSet.of(map(range_of, SERVICE_CIDRS))
    for each in described:
        assert not each.usable & taken
        taken = taken | each.usable
    everything = AddressSet()
    for obj in stored:
        everything = everything | usable_addresses(obj.spec)
    assert not everything - taken


@given(SPECS, SPECS)
def test_what_leaves_a_pool_is_what_only_the_old_one_has(before, after):
    old, new = judged("it", before, [])[0], judged("it", after, [])[0]
    leaving = leaving_addresses(new, old)
    assert not leaving & usable_addresses(new.spec)
    assert (leaving | (usable_addresses(old.spec) & usable_addresses(new.spec))) == usable_addresses(old.spec)
