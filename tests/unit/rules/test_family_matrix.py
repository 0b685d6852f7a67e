"""Every combination of policy, families, addresses and stacks against the rule in a few sentences.

1. The families of a Service are those it names, then those of its addresses, then the cluster's first; an address must
   be of the family at its place.
2. Without a policy it has one stack, or both when it is headless without selector.
3. SingleStack has one family and one address. The other policies add the second family where the cluster has it;
   RequireDualStack insists on that.
4. Families must be served by the cluster. A headless Service without selector is free of points 3 and 4's cluster:
   its families say something of endpoints only.
"""

from itertools import product

import pytest

from tests.unit.rules.builders import V4, V6, cluster, created, faults, spec_of, wanted, web

ADDRESSES = {"IPv4": "10.96.0.9", "IPv6": "fd00:10:96::9"}
CIDRS = {"IPv4": V4, "IPv6": V6}
LISTS = (None, ("IPv4",), ("IPv6",), ("IPv4", "IPv6"), ("IPv6", "IPv4"))
POLICIES = (None, "SingleStack", "PreferDualStack", "RequireDualStack")
STACKS = LISTS[1:]


def expected(policy, families, addresses, stack, *, free):
    """Effective policy and families, or the fields at fault."""
    families, addresses = families or (), addresses or ()
    mismatched = [
        f"spec.clusterIPs[{i}] invalid"
        for i, pair in enumerate(zip(addresses, families, strict=False))
        if len(set(pair)) > 1
    ]
    if mismatched:
        return None, mismatched
    policy = policy or ("RequireDualStack" if free else "SingleStack")
    wrong = []
    if policy == "SingleStack" and 2 in (len(families), len(addresses)):
        wrong.append("spec.ipFamilyPolicy invalid")
    named = (*families, *addresses[len(families) :])
    wrong += [
        f"spec.clusterIPs[{i}] invalid" for i, family in enumerate(named) if i >= len(families) and family not in stack
    ]
    if wrong:
        return None, wrong
    if not free:
        if policy == "RequireDualStack" and len(stack) == 1:
            wrong.append("spec.ipFamilyPolicy invalid")
        wrong += [f"spec.ipFamilies[{i}] invalid" for i, family in enumerate(families) if family not in stack]
        if wrong:
            return None, wrong
    named = named or stack[:1]
    if policy != "SingleStack" and len(named) == 1 and (free or len(stack) == 2):
        named = (*named, "IPv6" if named == ("IPv4",) else "IPv4")
    return (policy, list(named)), []


def spec(policy, families, **more):
    return web(ipFamilyPolicy=policy, ipFamilies=list(families) if families else None, **more)


def check(given, at, answer, lines):
    new, causes = created(given, at)
    assert faults(causes) == wanted(*lines)
    if answer is not None:
        result = spec_of(new)
        assert (result["ipFamilyPolicy"], result["ipFamilies"]) == answer


def named(value):
    return "+".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(
    ("policy", "families", "addresses", "stack"), [*product(POLICIES, LISTS, LISTS, STACKS)], ids=named
)
def test_with_cluster_ips(policy, families, addresses, stack):
    texts = [ADDRESSES[family] for family in addresses or ()]
    given = spec(policy, families, clusterIP=texts[0] if texts else None, clusterIPs=texts or None)
    answer, lines = expected(policy, families, addresses, stack, free=False)
    check(given, cluster(*(CIDRS[family] for family in stack)), answer, lines)


@pytest.mark.parametrize(
    ("policy", "families", "selector", "stack"), [*product(POLICIES, LISTS, (True, False), STACKS)], ids=named
)
def test_headless(policy, families, selector, stack):
    given = spec(policy, families, clusterIP="None", selector={"app": "x"} if selector else None)
    answer, lines = expected(policy, families, None, stack, free=not selector)
    check(given, cluster(*(CIDRS[family] for family in stack)), answer, lines)
