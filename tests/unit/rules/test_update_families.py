"""Changing the IP families of a Service: upgrade, downgrade, and what is refused."""

import pytest

from tests.unit.rules.builders import (
    DUAL,
    SINGLE,
    faults,
    spec_of,
    stored,
    updated,
    wanted,
    web,
)
from tests.unit.rules.shapes import BOTH, EXTERNAL, HEADLESS, PLAIN, PREFERRED, TWOFOLD, V4_ADDRESS, change

# The same on a cluster with both stacks, about IP families.
DUAL_ACCEPTED = {
    "two stacks, the manifest again": (TWOFOLD, web(ipFamilyPolicy="RequireDualStack"), TWOFOLD),
    "two stacks, policy left out": (TWOFOLD, web(), TWOFOLD),
    "upgrade by policy": (
        PLAIN,
        web(ipFamilyPolicy="PreferDualStack"),
        change(PLAIN, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by policy, all else sent again": (
        PLAIN,
        {**PLAIN, "ipFamilyPolicy": "RequireDualStack"},
        change(PLAIN, ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by family": (
        PLAIN,
        {**PLAIN, "ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4", "IPv6"]},
        change(PLAIN, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by address": (
        PLAIN,
        {**PLAIN, **BOTH, "ipFamilyPolicy": "RequireDualStack"},
        TWOFOLD,
    ),
    "downgrade by policy, all else sent again": (TWOFOLD, {**TWOFOLD, "ipFamilyPolicy": "SingleStack"}, PLAIN),
    "downgrade by policy, all else left out": (TWOFOLD, web(ipFamilyPolicy="SingleStack"), PLAIN),
    "downgrade by policy and lists": (TWOFOLD, PLAIN, PLAIN),
    "downgrade by policy and families": (
        TWOFOLD,
        {**TWOFOLD, "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]},
        PLAIN,
    ),
    "downgrade by policy and addresses": (
        TWOFOLD,
        {**TWOFOLD, "ipFamilyPolicy": "SingleStack", **V4_ADDRESS},
        PLAIN,
    ),
    "RequireDualStack to PreferDualStack": (TWOFOLD, {**TWOFOLD, "ipFamilyPolicy": "PreferDualStack"}, PREFERRED),
    "PreferDualStack of one family, sent again": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
    ),
    "PreferDualStack of one family, lists left out": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        web(ipFamilyPolicy="PreferDualStack"),
        change(PREFERRED, **V4_ADDRESS),
    ),
    "PreferDualStack of one family, another type": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"], type="NodePort"),
        change(PREFERRED, **V4_ADDRESS, type="NodePort", externalTrafficPolicy="Cluster"),
    ),
    "headless changes its families": (
        HEADLESS,
        {**HEADLESS, "ipFamilies": ["IPv6"]},
        change(HEADLESS, ipFamilies=["IPv6"]),
    ),
    "headless takes a second family": (
        HEADLESS,
        {**HEADLESS, "ipFamilyPolicy": "PreferDualStack"},
        change(HEADLESS, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "headless without selector gets one": (
        change(HEADLESS, drop=("selector",), ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
        web(clusterIP="None"),
        change(HEADLESS, ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
    ),
    "ExternalName to both stacks": (
        EXTERNAL,
        web(ipFamilyPolicy="RequireDualStack"),
        change(TWOFOLD, drop=("clusterIP", "clusterIPs")),
    ),
}


@pytest.mark.parametrize(("old", "sent", "result"), DUAL_ACCEPTED.values(), ids=DUAL_ACCEPTED)
def test_families_are_accepted(old, sent, result):
    before = stored(old, SINGLE if old.get("ipFamilies") == ["IPv4"] and "Prefer" in old["ipFamilyPolicy"] else DUAL)
    new, causes = updated(sent, before, DUAL)
    assert faults(causes) == set()
    assert spec_of(new) == result


DUAL_REFUSED = {
    "fewer addresses": (TWOFOLD, {**TWOFOLD, **V4_ADDRESS}, ["spec.ipFamilyPolicy invalid"]),
    "fewer families": (TWOFOLD, {**TWOFOLD, "ipFamilies": ["IPv4"]}, ["spec.ipFamilyPolicy invalid"]),
    "fewer of both": (TWOFOLD, {**TWOFOLD, **V4_ADDRESS, "ipFamilies": ["IPv4"]}, ["spec.ipFamilyPolicy invalid"]),
    "fewer addresses, policy left out": (TWOFOLD, web(**V4_ADDRESS), ["spec.ipFamilyPolicy invalid"]),
    "the secondary address alone": (
        TWOFOLD,
        web(clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9"], ipFamilyPolicy="SingleStack"),
        ["spec.clusterIPs[0] invalid", "spec.ipFamilies[0] invalid"],
    ),
    "addresses swapped": (
        TWOFOLD,
        {**TWOFOLD, "clusterIP": "fd00:10:96::9", "clusterIPs": ["fd00:10:96::9", "10.96.0.9"]},
        ["spec.clusterIPs[0] invalid", "spec.clusterIPs[1] invalid"],
    ),
    "all swapped": (
        TWOFOLD,
        {
            **TWOFOLD,
            "clusterIP": "fd00:10:96::9",
            "clusterIPs": ["fd00:10:96::9", "10.96.0.9"],
            "ipFamilies": ["IPv6", "IPv4"],
        },
        ["spec.clusterIPs[0] invalid", "spec.clusterIPs[1] invalid", "spec.ipFamilies[0] invalid"],
    ),
    "another secondary address": (
        TWOFOLD,
        {**TWOFOLD, "clusterIPs": ["10.96.0.9", "fd00:10:96::8"]},
        ["spec.clusterIPs[1] invalid"],
    ),
    "a second address outside": (
        PLAIN,
        {**PLAIN, "clusterIPs": ["10.96.0.9", "fd01::8"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs invalid"],
    ),
    "a second address, SingleStack": (PLAIN, {**PLAIN, **BOTH}, ["spec.ipFamilyPolicy invalid"]),
    "a second family, SingleStack": (
        PLAIN,
        {**PLAIN, "ipFamilies": ["IPv4", "IPv6"]},
        ["spec.ipFamilyPolicy invalid"],
    ),
    "a second family in front": (
        PLAIN,
        {**PLAIN, "ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs[0] invalid"],
    ),
    "the primary address with the second": (
        PLAIN,
        {
            **PLAIN,
            "clusterIP": "10.96.0.8",
            "clusterIPs": ["10.96.0.8", "fd00:10:96::8"],
            "ipFamilyPolicy": "RequireDualStack",
        },
        ["spec.clusterIPs[0] invalid"],
    ),
    "becomes headless of another family": (
        PLAIN,
        web(clusterIP="None", ipFamilies=["IPv6"]),
        ["spec.clusterIPs[0] invalid"],
    ),
    "two of one family": (
        PLAIN,
        {**PLAIN, "clusterIPs": ["10.96.0.9", "10.96.0.8"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs invalid"],
    ),
}


@pytest.mark.parametrize(("old", "sent", "lines"), DUAL_REFUSED.values(), ids=DUAL_REFUSED)
def test_families_are_refused(old, sent, lines):
    _, causes = updated(sent, stored(old, DUAL), DUAL)
    assert faults(causes) == wanted(*lines)
