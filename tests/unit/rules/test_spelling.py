"""How names, addresses and CIDRs are spelled, and what is said about those that are not."""

import pytest

from app.domain.label_syntax import label_value_problems
from app.domain.rules.addresses import (
    address_causes,
    address_warnings,
    canonical,
    endpoint_address_causes,
    family_of,
    network_causes,
    network_warnings,
    sloppy_address,
    strict_address,
    strict_network,
)
from app.domain.rules.names import (
    dns_label_problems,
    dns_subdomain_problems,
    path_segment_problems,
    port_name_problems,
    port_number_problems,
    qualified_name_problems,
)

LABEL = (
    "must have only lower-case letters, digits and '-', and begin and end with a letter or digit, such as my-name or "
    "123-abc"
)
SUBDOMAIN = "must be DNS labels of lower-case letters, digits and '-' joined by '.', such as example.com"
NAME = "letters, digits, '-', '_' and '.', and begin and end with a letter or digit"
KEY = f"the name must have only {NAME}, such as app.kubernetes.io/name"
PREFIX = "the prefix must be a lower-case DNS subdomain, such as example.com"
NO_PREFIX = "the prefix before '/' must not be empty; leave '/' out, or write a prefix such as example.com"
SLASHES = "must be a name such as app, or a DNS subdomain, '/' and a name, such as example.com/app"
CHARACTERS = "must have only lower-case letters, digits and '-', such as http"
LETTER = "must contain at least one letter (a-z)"
TWO_HYPHENS = "must not have two '-' in a row"
OUTER_HYPHEN = "must not begin or end with '-'"


def long(limit):
    return f"must be no more than {limit} characters"


@pytest.mark.parametrize("name", ["a", "1", "a-b", "a--b", "1a", "x" * 63])
def test_labels(name):
    assert dns_label_problems(name) == []


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        *((name, [LABEL]) for name in ("", "-", "-a", "a-", "A", "a.b", "a_b", "a b", "a\n", "é")),
        ("x" * 64, [long(63)]),
        ("X" * 64, [long(63), LABEL]),
        ("é" * 32, [long(63), LABEL]),
    ],
)
def test_no_labels(name, problems):
    assert dns_label_problems(name) == problems


@pytest.mark.parametrize("name", ["a", "a.b", "1.2", "a-b.c-d", "x" * 253, ".".join(["x" * 63] * 3)])
def test_subdomains(name):
    assert dns_subdomain_problems(name) == []


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        *((name, [SUBDOMAIN]) for name in ("", ".", "a.", ".a", "a..b", "A.b", "-a.b", "a-.b", "a_b", "a.b\n")),
        ("x" * 254, [long(253)]),
        ("X" * 254, [long(253), SUBDOMAIN]),
    ],
)
def test_no_subdomains(name, problems):
    assert dns_subdomain_problems(name) == problems


@pytest.mark.parametrize("name", ["http", "a", "1a", "a-1", "x" * 15])
def test_port_names(name):
    assert port_name_problems(name) == []


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("", [CHARACTERS, LETTER]),
        ("80", [LETTER]),
        ("1-2", [LETTER]),
        ("-a", [OUTER_HYPHEN]),
        ("a-", [OUTER_HYPHEN]),
        ("a--b", [TWO_HYPHENS]),
        ("A", [CHARACTERS, LETTER]),
        ("aB", [CHARACTERS]),
        ("a\n", [CHARACTERS]),
        ("x" * 16, [long(15)]),
        ("-", [LETTER, OUTER_HYPHEN]),
        ("--_" + "8" * 13, [long(15), CHARACTERS, LETTER, TWO_HYPHENS, OUTER_HYPHEN]),
    ],
)
def test_no_port_names(name, problems):
    assert port_name_problems(name) == problems


@pytest.mark.parametrize(("number", "good"), [(-1, False), (0, False), (1, True), (65535, True), (65536, False)])
def test_port_numbers(number, good):
    assert port_number_problems(number) == ([] if good else ["must be from 1 to 65535"])


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        *((name, []) for name in ("a", "A b", "", "...")),
        (".", ["must not be '.', which means something else in a path"]),
        ("..", ["must not be '..', which means something else in a path"]),
        ("a/b", ["must not contain '/', which means something else in a path"]),
        (
            "%/",
            [
                "must not contain '/', which means something else in a path",
                "must not contain '%', which means something else in a path",
            ],
        ),
    ],
)
def test_path_segments(name, problems):
    assert path_segment_problems(name) == problems


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        *((name, []) for name in ("http", "kubernetes.io/h2c", "A_b.C-d", "x" * 63, "a.b/" + "x" * 63)),
        *((name, [KEY]) for name in ("-a", "a b", "a\n", "a/-")),
        ("", ["the name must not be empty", KEY]),
        ("a/", ["the name must not be empty", KEY]),
        ("/", [NO_PREFIX, "the name must not be empty", KEY]),
        ("/a", [NO_PREFIX]),
        ("a/b/c", [SLASHES]),
        ("A/b", [PREFIX]),
        ("x" * 64, [f"the name {long(63)}"]),
        ("_" * 64, [f"the name {long(63)}", KEY]),
        ("x" * 254 + "/a", [f"the prefix {long(253)}"]),
        ("X" * 254 + "/" + "_" * 64, [f"the prefix {long(253)}", PREFIX, f"the name {long(63)}", KEY]),
    ],
)
def test_qualified_names(name, problems):
    assert qualified_name_problems(name) == problems


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        *((value, []) for value in ("", "a", "A_b.C-d", "x" * 63)),
        *((value, [f"must be empty or have only {NAME}"]) for value in ("-a", "a b", "a\n", "a/b")),
        ("x" * 64, [long(63)]),
        ("_" * 64, [long(63), f"must be empty or have only {NAME}"]),
    ],
)
def test_label_values(value, problems):
    assert label_value_problems(value) == problems


@pytest.mark.parametrize(
    ("text", "strict", "sloppy"),
    [
        ("1.2.3.4", "1.2.3.4", "1.2.3.4"),
        ("255.255.255.255", "255.255.255.255", "255.255.255.255"),
        ("fd00::1", "fd00::1", "fd00::1"),
        ("FD00:0::1", "fd00::1", "fd00::1"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304", "64:ff9b::102:304"),
        ("1.2.3.04", None, "1.2.3.4"),
        ("001.002.003.000", None, "1.2.3.0"),
        ("::ffff:1.2.3.4", None, "1.2.3.4"),
        ("::ffff:0102:0304", None, "1.2.3.4"),
        ("fe80::1%eth0", None, None),
        ("1.2.3", None, None),
        ("1.2.3.256", None, None),
        ("1.2.3.4.5", None, None),
        ("1.2.3.4 ", None, None),
        ("1.2.3.4\n", None, None),
        ("1.2.3.٤", None, None),
        ("", None, None),
        (":", None, None),
        ("None", None, None),
        ("1:2", None, None),
    ],
)
def test_addresses(text, strict, sloppy):
    found = strict_address(text)
    assert (None if found is None else str(found)) == strict
    found = sloppy_address(text)
    assert (None if found is None else str(found)) == sloppy
    assert canonical(text) == (sloppy or text)
    assert family_of(text) == ("" if sloppy is None else "IPv6" if ":" in sloppy else "IPv4")


def test_messages_for_addresses():
    assert [cause.message for cause in address_causes("f", "x")] == [
        'Invalid value: "x": must be an IP address, such as 10.9.8.7 or 2001:db8::ffff'
    ]
    assert [(cause.field, cause.message) for cause in address_causes("f", "1.2.3.04")] == [
        (
            "f",
            'Invalid value: "1.2.3.04": must have no leading zeros and no IPv4 address inside IPv6: write 1.2.3.4',
        )
    ]
    assert address_causes("f", "1.2.3.04", ["1.2.3.04"]) == []
    assert address_causes("f", "1.2.3.4") == []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("10.0.0.0/8", True),
        ("0.0.0.0/0", True),
        ("1.2.3.4/32", True),
        ("fd00::/8", True),
        ("FD00::/8", True),
        ("::1/128", True),
        ("10.0.0.1/8", False),
        ("10.0.0.0/08", False),
        ("10.0.0.0/33", False),
        ("fd00::/129", False),
        ("10.0.0.0/", False),
        ("10.0.0.0", False),
        ("/8", False),
        ("10.0.0.0/8/8", False),
        ("10.0.0.0/-1", False),
        ("10.0.0.0/255.0.0.0", False),
        ("010.0.0.0/8", False),
        ("::ffff:10.0.0.0/104", False),
        ("10.0.0.0/" + "9" * 5000, False),
        ("10.0.0.0/8 ", False),
        ("", False),
    ],
)
def test_networks(text, good):
    assert (strict_network(text) is not None) == good
    assert (network_causes("f", text) == []) == good
    assert network_causes("f", text, [text]) == []


def test_messages_for_networks():
    assert [(cause.field, cause.message) for cause in network_causes("f", "10.0.0.1/8")] == [
        ("f", 'Invalid value: "10.0.0.1/8": must have no bits beyond the prefix: write 10.0.0.0/8, or a longer prefix')
    ]
    assert [cause.message for cause in network_causes("f", "x")] == [
        'Invalid value: "x": must be a CIDR, such as 10.9.8.0/24 or 2001:db8::/64'
    ]


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("1.2.3.4", []),
        ("fd00::1", []),
        ("x", []),
        ("", []),
        ("1.2.3.04", ["f: '1.2.3.04' means different addresses to different programs; write 1.2.3.4"]),
        ("::ffff:1.2.3.4", ["f: '::ffff:1.2.3.4' means different addresses to different programs; write 1.2.3.4"]),
        ("FD00::1", ["f: 'FD00::1' is not in the canonical form of RFC 5952, fd00::1; programs may rewrite it"]),
    ],
)
def test_warnings_for_addresses(text, warnings):
    assert address_warnings("f", text) == warnings


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("10.0.0.0/8", []),
        ("fd00::/8", []),
        ("x", []),
        ("", []),
        (" 10.0.0.0/8", []),
        ("10.0.0.0/33", []),
        ("10.0.0.1/8", ["f: '10.0.0.1/8' has bits beyond its prefix; write 10.0.0.0/8, or a longer prefix"]),
        ("010.0.0.0/8", ["f: '010.0.0.0/8' means different addresses to different programs; write 10.0.0.0/8"]),
        ("10.0.0.0/08", ["f: '10.0.0.0/08' means different addresses to different programs; write 10.0.0.0/8"]),
        (
            "010.0.0.1/8",
            [
                "f: '010.0.0.1/8' has bits beyond its prefix; write 10.0.0.0/8, or a longer prefix",
                "f: '010.0.0.1/8' means different addresses to different programs; write 10.0.0.0/8",
            ],
        ),
        (
            "FD00::/8",
            ["f: 'FD00::/8' is not in the canonical form of RFC 5952, fd00::/8; programs may rewrite it"],
        ),
        ("FD00::1/8", ["f: 'FD00::1/8' has bits beyond its prefix; write fd00::/8, or a longer prefix"]),
    ],
)
def test_warnings_for_networks(text, warnings):
    assert network_warnings("f", text) == warnings


UNSPECIFIED = "must not be the unspecified address"
LOOPBACK = "must not be a loopback address (127.0.0.0/8, ::1)"
LINK_LOCAL = "must not be a link-local address (169.254.0.0/16, fe80::/10)"
MULTICAST = "must not be a link-local multicast address (224.0.0.0/24, ff02::/16)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.2.3.4", None),
        ("fd00::1", None),
        ("224.0.1.1", None),
        ("239.1.1.1", None),
        ("ff05::1", None),
        ("255.255.255.255", None),
        ("0.0.0.0", UNSPECIFIED),  # noqa: S104 - refused
        ("::", UNSPECIFIED),
        ("127.0.0.1", LOOPBACK),
        ("127.255.0.1", LOOPBACK),
        ("127.0.0.01", LOOPBACK),
        ("::1", LOOPBACK),
        ("169.254.0.1", LINK_LOCAL),
        ("fe80::1", LINK_LOCAL),
        ("febf::1", LINK_LOCAL),
        ("224.0.0.1", MULTICAST),
        ("224.0.0.255", MULTICAST),
        ("ff02::1", MULTICAST),
        ("ff12::1", MULTICAST),
        ("x", "must be an IP address, such as 10.9.8.7 or 2001:db8::ffff"),
    ],
)
def test_endpoint_addresses(text, problem):
    expected = [] if problem is None else [("f", f'Invalid value: "{text}": {problem}')]
    assert [(cause.field, cause.message) for cause in endpoint_address_causes("f", text)] == expected
