"""The syntax of names: DNS labels and subdomains, qualified names, port names.

Each function returns everything that is wrong with a name and what would be valid; an empty list means that the name is
valid. Kubernetes' validators do the same, and each problem becomes a cause of its own.
"""

import re
from collections.abc import Callable

from app.domain.label_syntax import label_key_problems, length_problems

_SUFFIX, _SUFFIX_LENGTH = "bcdfghjklmnpqrstvwxz2456789", 5
_GENERATED_NAME_LIMIT = 63

MAX_LABEL, MAX_SUBDOMAIN, MAX_PORT_NAME = 63, 253, 15
MAX_PORT = 65535

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_.]{0,78}[A-Za-z0-9_])?")
_PORT_NAME_CHARACTERS = re.compile(r"[-a-z0-9]+")
_LETTER = re.compile(r"[a-z]")


def dns_label_problems(name: str) -> list[str]:
    """RFC 1123 label: names of Services, namespaces and ports (KEP-5311 for Services)."""
    if len(name) <= MAX_LABEL and _LABEL.fullmatch(name):
        return []
    problems = length_problems(name, MAX_LABEL)
    if not _LABEL.fullmatch(name):
        problems.append(
            "must have only lower-case letters, digits and '-', and begin and end with a letter or digit, such as "
            "my-name or 123-abc"
        )
    return problems


def dns_subdomain_problems(name: str) -> list[str]:
    """RFC 1123 subdomain: names of most objects."""
    if len(name) <= MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(name):
        return []
    problems = length_problems(name, MAX_SUBDOMAIN)
    if not _SUBDOMAIN.fullmatch(name):
        problems.append("must be DNS labels of lower-case letters, digits and '-' joined by '.', such as example.com")
    return problems


def path_segment_problems(name: str) -> list[str]:
    """Anything that can stand between two slashes of a URL."""
    if name in (".", ".."):
        return [f"must not be '{name}', which means something else in a path"]
    return [f"must not contain '{each}', which means something else in a path" for each in "/%" if each in name]


def qualified_name_problems(name: str) -> list[str]:
    """A name with an optional DNS subdomain before it: label keys, `appProtocol`, `loadBalancerClass`."""
    return label_key_problems(name)


def port_name_problems(name: str) -> list[str]:
    """RFC 6335 service name: names of containers' ports, which `targetPort` refers to."""
    problems = length_problems(name, MAX_PORT_NAME)
    if not _PORT_NAME_CHARACTERS.fullmatch(name):
        problems.append("must have only lower-case letters, digits and '-', such as http")
    if not _LETTER.search(name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not have two '-' in a row")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with '-'")
    return problems


def resource_name_problems(name: str) -> list[str]:
    """How Azure names subnets, public addresses and other resources."""
    if _RESOURCE_NAME.fullmatch(name):
        return []
    return [
        "must be a name of at most 80 letters, digits, '-', '_' and '.', beginning and ending with none of '-' and '.'"
    ]


def port_number_problems(number: int) -> list[str]:
    """A port of an Internet protocol."""
    return [] if 1 <= number <= MAX_PORT else [f"must be from 1 to {MAX_PORT}"]


def generated_name(base: str, choice: Callable[[str], str]) -> str:
    """A name from `metadata.generateName`: the base, cut to leave room, and five characters that spell no word.

    Args:
        base: The `generateName` of the client.
        choice: Picks one character of a text at random.
    """
    return base[: _GENERATED_NAME_LIMIT - _SUFFIX_LENGTH] + "".join(choice(_SUFFIX) for _ in range(_SUFFIX_LENGTH))
