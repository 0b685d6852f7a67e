"""How names are spelled: DNS labels and subdomains, qualified names, port names.

Each function answers what is wrong and what would be valid, or None when nothing is wrong.
"""

import re
from collections.abc import Callable

from app.domain.label_syntax import label_key_problem

_SUFFIX, _SUFFIX_LENGTH = "bcdfghjklmnpqrstvwxz2456789", 5
_GENERATED_NAME_LIMIT = 63

MAX_LABEL, MAX_SUBDOMAIN, MAX_PORT_NAME = 63, 253, 15
MAX_PORT = 65535

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_PORT_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_.]{0,78}[A-Za-z0-9_])?")
_LETTER = re.compile(r"[a-z]")


def dns_label_problem(name: str) -> str | None:
    """RFC 1123 label: what Services, namespaces and ports are named (KEP-5311 for Services)."""
    if len(name) <= MAX_LABEL and _LABEL.fullmatch(name):
        return None
    return (
        f"must be 1 to {MAX_LABEL} lower-case letters, digits or '-', beginning and ending with a letter or digit, "
        "such as my-name or 123-abc"
    )


def dns_subdomain_problem(name: str) -> str | None:
    """RFC 1123 subdomain: what most objects are named."""
    if len(name) <= MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(name):
        return None
    return (
        f"must be at most {MAX_SUBDOMAIN} characters: DNS labels of lower-case letters, digits and '-' joined by '.', "
        "such as example.com"
    )


def path_segment_problem(name: str) -> str | None:
    """Anything that can stand between two slashes of a URL."""
    if name in (".", ".."):
        return "must not be '.' or '..', which mean something else in a path"
    if "/" in name or "%" in name:
        return "must not contain '/' or '%', which mean something else in a path"
    return None


def qualified_name_problem(name: str) -> str | None:
    """A name with an optional DNS subdomain before it: label keys, `appProtocol`, `loadBalancerClass`."""
    return label_key_problem(name)


def port_name_problem(name: str) -> str | None:
    """RFC 6335 service name: how `targetPort` names a container's port."""
    if len(name) <= MAX_PORT_NAME and _PORT_NAME.fullmatch(name) and _LETTER.search(name):
        return None
    return (
        f"must be a port number from 1 to {MAX_PORT} or a port's name: at most {MAX_PORT_NAME} lower-case letters, "
        "digits and single '-' between them, with at least one letter, such as http"
    )


def resource_name_problem(name: str) -> str | None:
    """How Azure names subnets, public addresses and other resources."""
    if _RESOURCE_NAME.fullmatch(name):
        return None
    return (
        "must be a name of at most 80 letters, digits, '-', '_' and '.', beginning and ending with none of '-' and '.'"
    )


def port_number_problem(number: int) -> str | None:
    """A port of an Internet protocol."""
    return None if 1 <= number <= MAX_PORT else f"must be from 1 to {MAX_PORT}"


def generated_name(base: str, choice: Callable[[str], str]) -> str:
    """A name from `metadata.generateName`: the base, cut to leave room, and five characters that spell no word.

    Args:
        base: What the client gave.
        choice: Picks one character of a text at random.
    """
    return base[: _GENERATED_NAME_LIMIT - _SUFFIX_LENGTH] + "".join(choice(_SUFFIX) for _ in range(_SUFFIX_LENGTH))
