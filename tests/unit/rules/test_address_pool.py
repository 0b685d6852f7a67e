"""AddressPools: which are accepted, what they give, and what they tell of themselves."""

import pytest
from msgspec.structs import replace

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.documents.decoding import to_document
from app.domain.rules.address_pool import (
    FINALIZER,
    family_counts,
    held_cause,
    leaving_addresses,
    tell_holders,
    tell_ready,
)
from app.domain.rules.address_pools import described_pools
from app.domain.rules.address_ranges import range_of
from app.domain.rules.address_sets import AddressSet
from tests.unit.rule_runner import CLUSTER, NOW, cells, create, created, parse, shown, update, write_status

LATER = "2026-01-01T13:00:00Z"


def pool(*addresses, scope="external", metadata=None, **spec):
    return {"metadata": metadata or {"name": "it"}, "spec": {"scope": scope, "addresses": list(addresses), **spec}}


def described(*pools, cidrs=("10.96.0.0/16",), namespaces=None):
    return described_pools([parse(ADDRESS_POOL, each) for each in pools], cidrs, namespaces or {})


def named(name, *addresses, at=NOW, **spec):
    return pool(*addresses, metadata={"name": name, "creationTimestamp": at}, **spec)


def judged(document, *others):
    """What is wrong with a pool where there are others."""
    at = replace(CLUSTER, pools=described(*others))
    obj = parse(ADDRESS_POOL, document)
    ADDRESS_POOL.strategy.default(obj)
    return ADDRESS_POOL.strategy.validate_create(obj, at)


ADDRESSES = [
    (["198.18.0.0/16"], set()),
    (["198.18.0.1", "198.18.0.3-198.18.0.9", "198.18.1.0 - 198.18.1.0", "2001:2::/112"], set()),
    ([], {("spec.addresses", "Required")}),
    (["nonsense"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.1/24"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.01"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.0/24", "198.18.0.9-198.18.1.3"], {("spec.addresses[1]", "Duplicate")}),
    (["198.18.0.9-198.18.0.3"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.9-2001:2::1"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.9-"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.1-198.18.0.3-198.18.0.5"], {("spec.addresses[0]", "Invalid")}),
    (["::ffff:198.18.0.1"], {("spec.addresses[0]", "Invalid")}),
    (["2001:2::/64"], set()),
    (["2001:2::/63"], {("spec.addresses[0]", "Invalid")}),
    (["127.0.0.0/24"], {("spec.addresses[0]", "Invalid")}),
    (["0.0.0.0/0"], {("spec.addresses[0]", "Invalid")}),
    (["198.18.0.0/16", "255.255.255.255"], {("spec.addresses[1]", "Invalid")}),
    (["::-::5"], {("spec.addresses[0]", "Invalid")}),
    (["fe80::/112", "ff02::1"], {("spec.addresses[0]", "Invalid"), ("spec.addresses[1]", "Invalid")}),
    (["10.96.3.0/24"], {("spec.addresses[0]", "Invalid")}),
    ([f"198.18.{n >> 8}.{n & 255}" for n in range(256)], set()),
    ([f"198.18.{n >> 8}.{n & 255}" for n in range(257)], {("spec.addresses", "TooMany")}),
]


@pytest.mark.parametrize(("addresses", "causes"), ADDRESSES)
def test_which_addresses_are_refused(addresses, causes):
    assert create(ADDRESS_POOL, pool(*addresses))[1] == causes


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"scope": ""}, {("spec.scope", "Required")}),
        ({"scope": "Internal"}, {("spec.scope", "NotSupported")}),
        ({"exclude": ["198.18.0.0/30", "198.18.0.9"]}, set()),
        ({"exclude": ["x"]}, {("spec.exclude[0]", "Invalid")}),
        ({"exclude": ["198.18.0.0/15"]}, {("spec.exclude", "Invalid")}),
        ({"reuseAfterSeconds": 30 * 86400}, set()),
        ({"reuseAfterSeconds": 30 * 86400 + 1}, {("spec.reuseAfterSeconds", "Invalid")}),
        ({"reuseAfterSeconds": -1}, {("spec.reuseAfterSeconds", "Invalid")}),
        ({"priority": -(2**31), "autoAssign": False, "drain": True}, set()),
        ({"aliases": ["Subnet_1", "b"]}, set()),
        ({"aliases": ["b", "it", "b"]}, {("spec.aliases[1]", "Duplicate"), ("spec.aliases[2]", "Duplicate")}),
        ({"aliases": ["", "-x"]}, {("spec.aliases[0]", "Invalid"), ("spec.aliases[1]", "Invalid")}),
        ({"aliases": [f"a{n}" for n in range(33)]}, {("spec.aliases", "TooMany")}),
        ({"namespaceSelector": {"matchLabels": {"tier": "gold"}}}, set()),
        ({"namespaceSelector": {"matchLabels": {"-": "gold"}}}, {("spec.namespaceSelector.matchLabels", "Invalid")}),
    ],
)
def test_what_else_is_refused(spec, causes):
    assert create(ADDRESS_POOL, pool("198.18.0.0/16", **spec))[1] == causes


def test_everything_wrong_is_named_at_once():
    _, causes = create(ADDRESS_POOL, pool("x", scope="", reuseAfterSeconds=-1))
    assert causes == {
        ("spec.addresses[0]", "Invalid"),
        ("spec.scope", "Required"),
        ("spec.reuseAfterSeconds", "Invalid"),
    }


class TestOthers:
    @pytest.mark.parametrize(
        ("mine", "theirs", "messages"),
        [
            (["198.18.0.0/24"], named("a", "198.18.1.0/24"), []),
            (["198.18.0.0/24"], named("a", "198.18.0.77"), ['overlaps the pool "a": both have 198.18.0.77']),
            (["198.18.0.0/24"], named("a", "198.18.0.0"), []),
            (["198.18.0.0/24"], named("a", "198.18.0.0/16", exclude=["198.18.0.0/24"]), []),
            (["198.18.0.0/24"], named("it", "198.18.0.0/24"), []),
            (
                ["198.19.0.1", "198.18.0.0/24"],
                named("a", "198.18.0.0/16"),
                ['overlaps the pool "a": both have 198.18.0.1-198.18.0.254'],
            ),
            (
                ["10.96.0.0"],
                named("a", "198.18.0.0/16"),
                ["overlaps the service range 10.96.0.0/16: both have 10.96.0.0"],
            ),
        ],
    )
    def test_addresses_belong_to_one(self, mine, theirs, messages):
        causes = judged(pool(*mine), theirs)
        assert [cause.message.partition('": ')[2] for cause in causes] == messages
        assert [cause.field for cause in causes] == [f"spec.addresses[{len(mine) - 1}]" for _ in messages]

    @pytest.mark.parametrize(
        ("mine", "causes"),
        [
            ({"aliases": ["c"]}, set()),
            ({"aliases": ["a"]}, {("spec.aliases[0]", "Invalid")}),
            ({"aliases": ["c", "b"]}, {("spec.aliases[1]", "Invalid")}),
            ({"metadata": {"name": "b"}}, {("metadata.name", "Invalid")}),
        ],
    )
    def test_names_belong_to_one(self, mine, causes):
        other = named("a", "198.19.0.0/24", aliases=["b"])
        assert shown(judged(pool("198.18.0.0/24", **mine), other)) == causes

    def test_ranges_that_give_nothing_any_more_count(self):
        at = replace(CLUSTER, every_service_cidr=("10.96.0.0/16", "198.18.0.0/24"))
        obj = parse(ADDRESS_POOL, pool("198.18.0.7"))
        assert shown(ADDRESS_POOL.strategy.validate_create(obj, at)) == {("spec.addresses[0]", "Invalid")}


class TestUpdates:
    def test_the_scope_stays(self):
        old = created(ADDRESS_POOL, pool("198.18.0.0/24"))
        assert update(ADDRESS_POOL, old, pool("198.18.0.0/24", scope="internal"))[1] == {("spec.scope", "Invalid")}
        obj = parse(ADDRESS_POOL, pool("198.18.0.0/24", scope="internal"))
        (cause,) = ADDRESS_POOL.strategy.validate_update(obj, old, CLUSTER)
        assert "field is immutable" in cause.message

    def test_what_overlaps_already_hinders_no_other_change(self):
        at = replace(CLUSTER, pools=described(named("a", "198.18.0.0/24")))
        old = parse(ADDRESS_POOL, pool("198.18.0.0/24"))
        for addresses, causes in (
            (["198.18.0.0/24", "198.18.1.0/24"], set()),
            (["198.18.0.0/25"], set()),
            (["198.18.0.0-198.18.0.255", "198.18.1.0/24"], set()),
        ):
            new = parse(ADDRESS_POOL, pool(*addresses, drain=True))
            assert shown(ADDRESS_POOL.strategy.validate_update(new, old, at)) == causes
        grown = parse(ADDRESS_POOL, pool("198.18.0.0/24"))
        small = parse(ADDRESS_POOL, pool("198.18.0.0/25"))
        assert shown(ADDRESS_POOL.strategy.validate_update(grown, small, at)) == {("spec.addresses[0]", "Invalid")}

    def test_generations_count_the_changes_of_the_spec(self):
        old = created(ADDRESS_POOL, pool("198.18.0.0/24"))
        assert old.metadata.generation == 1
        new, _ = update(ADDRESS_POOL, old, pool("198.18.0.0/24", drain=True))
        assert new.metadata.generation == 2

    def test_the_status_is_written_apart(self):
        old = created(ADDRESS_POOL, {**pool("198.18.0.0/24"), "status": {"families": []}})
        assert old.metadata.finalizers == [FINALIZER]
        status = {"families": [{"family": "IPv4", "size": 1, "used": 1, "reserved": 0, "free": 0}]}
        assert update(ADDRESS_POOL, old, {**pool("198.18.0.0/24"), "status": status})[0].status.families is None
        new, causes = write_status(ADDRESS_POOL, old, {**pool("198.19.0.0/24"), "status": status})
        assert (causes, new.spec.addresses, new.status.families[0].size) == (set(), ["198.18.0.0/24"], 1)

    @pytest.mark.parametrize(
        ("before", "after", "leaving"),
        [
            (pool("198.18.0.0/24"), pool("198.18.0.0/24", drain=True), []),
            (pool("198.18.0.0/24"), pool("198.18.0.0/23"), []),
            (pool("198.18.0.0/24"), pool("198.18.0.0/25"), ["198.18.0.127-198.18.0.254"]),
            (pool("198.18.0.0/24"), pool("198.18.0.0/24", exclude=["198.18.0.7"]), ["198.18.0.7"]),
            (pool("198.18.0.0/24", exclude=["198.18.0.7"]), pool("198.18.0.0/24", exclude=["198.18.0.7"]), []),
            (pool("198.18.0.1", "2001:2::1"), pool("198.18.0.1"), ["2001:2::1"]),
        ],
    )
    def test_what_leaves_the_pool(self, before, after, leaving):
        assert leaving_addresses(parse(ADDRESS_POOL, after), parse(ADDRESS_POOL, before)).texts() == leaving

    def test_the_error_names_holders_and_how_many_there_are(self):
        new = parse(ADDRESS_POOL, pool("198.18.0.1"))
        leaving = AddressSet.of([range_of("198.18.0.2-198.18.0.9")])
        cause = held_cause(new, leaving, ["198.18.0.2 by services shop/a", "198.18.0.3 by services shop/b"], 7)
        assert cause.field == "spec.addresses"
        assert cause.message == (
            'Invalid value: "198.18.0.1": 198.18.0.2-198.18.0.9 cannot be taken out of the pool while addresses of it '
            "are held, 7 in all: 198.18.0.2 by services shop/a, 198.18.0.3 by services shop/b, and 5 more; set "
            "spec.drain, and take them out when nobody holds them any more"
        )

    def test_exclusions_of_nothing_are_warned_of(self):
        obj = parse(ADDRESS_POOL, pool("198.18.0.0/24", exclude=["198.18.0.7", "198.18.1.0/24", "198.18.0.0"]))
        assert ADDRESS_POOL.strategy.warnings(obj, None, CLUSTER) == [
            "spec.exclude[1]: 198.18.1.0/24 has no effect: the pool has none of these addresses",
            "spec.exclude[2]: 198.18.0.0 has no effect: the pool has none of these addresses",
        ]


class TestDescriptions:
    def test_say_what_the_object_says(self):
        document = named(
            "a",
            "198.18.0.0/29",
            "2001:2::1",
            exclude=["198.18.0.1"],
            autoAssign=False,
            priority=3,
            aliases=["b"],
            reuseAfterSeconds=9,
        )
        (found,) = described(document)
        assert (found.name, found.scope, found.auto_assign, found.priority) == ("a", "external", False, 3)
        assert (found.aliases, found.reuse_after_seconds, found.namespaces, found.gives) == (("b",), 9, None, True)
        assert found.usable.texts() == ["198.18.0.2-198.18.0.6", "2001:2::1"]
        assert found.families == ("IPv4", "IPv6")

    @pytest.mark.parametrize(
        ("document", "obstacle"),
        [
            (named("a", "198.18.0.1"), ""),
            (named("a", "198.18.0.1", drain=True), "spec.drain is true"),
            (
                pool("198.18.0.1", metadata={"name": "a", "deletionTimestamp": NOW, "finalizers": ["x/y"]}),
                "it is being deleted",
            ),
        ],
    )
    def test_what_keeps_a_pool_from_giving(self, document, obstacle):
        assert described(document)[0].obstacle == obstacle

    def test_whose_namespaces_they_are(self):
        chosen = named("a", "198.18.0.1", namespaceSelector={"matchLabels": {"tier": "gold"}})
        assert described(chosen)[0].namespaces == frozenset()
        assert described(chosen, namespaces={"a": frozenset({"shop"})})[0].namespaces == frozenset({"shop"})

    def test_an_address_is_the_older_pool_s_and_no_range_s(self):
        old, young = named("z", "198.18.0.1-198.18.0.4"), named("a", "198.18.0.3-198.18.0.6", at=LATER)
        first, second = described(young, old, cidrs=("198.18.0.6/32",))
        assert (first.name, first.usable.texts()) == ("a", ["198.18.0.5"])
        assert (second.name, second.usable.texts(), second.overlap) == ("z", ["198.18.0.1-198.18.0.4"], "")
        assert first.gives
        assert first.overlap == "198.18.0.6 is given by the service range 198.18.0.6/32, not from here"


class TestStatus:
    @pytest.mark.parametrize(
        ("document", "told"),
        [
            (named("a", "198.18.0.1"), ("True", "Ready")),
            (named("a", "198.18.0.1", drain=True), ("False", "Draining")),
            (named("a", "198.18.0.1", "10.96.0.1"), ("False", "Overlap")),
            (
                pool("198.18.0.1", drain=True, metadata={"name": "a", "deletionTimestamp": NOW, "finalizers": ["x/y"]}),
                ("False", "Terminating"),
            ),
        ],
    )
    def test_ready(self, document, told):
        obj = parse(ADDRESS_POOL, document)
        tell_ready(obj, described(document)[0], NOW)
        (condition,) = obj.status.conditions
        assert (condition.type, condition.status, condition.reason, condition.last_transition_time) == (
            "Ready",
            *told,
            NOW,
        )
        before = to_document(obj)
        tell_ready(obj, described(document)[0], LATER)
        assert to_document(obj) == before

    def test_terminating(self):
        obj = parse(ADDRESS_POOL, pool("198.18.0.1"))
        tell_holders(obj, ["198.18.0.1 by services shop/a"], 1, NOW)
        (condition,) = obj.status.conditions
        assert (condition.type, condition.status, condition.reason) == ("Terminating", "True", "HoldersRemain")
        assert condition.message == "addresses of the pool are held, 1 in all: 198.18.0.1 by services shop/a"
        tell_holders(obj, [], 0, LATER)
        (condition,) = obj.status.conditions
        assert (condition.reason, condition.message, condition.last_transition_time) == (
            "NoHolders",
            "no address of the pool is held",
            NOW,
        )

    def test_counts_fit(self):
        (small, large) = family_counts([("IPv4", 5, 2, 1, 2), ("IPv6", 2**64, 1, 0, 2**64 - 1)])
        assert (small.family, small.size, small.used, small.reserved, small.free) == ("IPv4", 5, 2, 1, 2)
        assert (large.size, large.used, large.free) == (2**63 - 1, 1, 2**63 - 1)


def test_columns():
    families = [{"family": "IPv4", "size": 254, "used": 3, "reserved": 0, "free": 251}]
    conditions = [{"type": "Ready", "status": "True"}]
    document = {**pool("198.18.0.0/24"), "status": {"families": families, "conditions": conditions}}
    assert {name: cell for name, cell in cells(ADDRESS_POOL, document).items() if name not in ("Name", "Age")} == {
        "Scope": "external",
        "Addresses": "198.18.0.0/24",
        "IPv4-Used": "3",
        "IPv4-Free": "251",
        "IPv6-Used": "<none>",
        "IPv6-Free": "<none>",
        "Ready": "True",
        "Auto-Assign": "true",
        "Priority": 0,
    }
