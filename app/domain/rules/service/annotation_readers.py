"""Readers of the texts of annotations: one function for each form of a value."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from app.domain.rules.addresses import strict_address, strict_network
from app.domain.rules.names import (
    MAX_PORT,
    dns_label_problems,
    port_name_problems,
    port_number_problems,
    resource_name_problems,
)

_SERVICE_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")
_LONGEST_TAG = 80

_DIGITS = re.compile(r"[0-9]{1,9}")
_SIGNED = re.compile(r"\+?[0-9]{1,9}")


class Reading(NamedTuple):
    """The result of reading a text.

    Attributes:
        value: The value. A wrong text has a value, too, since it may be stored already: the part of the text that
            can be used, or the value of an absent annotation.
        problem: What is wrong with the text and what would be valid; None when nothing is wrong.
    """

    value: Any
    problem: str | None = None


Reader = Callable[[str], Reading]


def boolean(text: str) -> Reading:
    """`true` or `false` in any case, as Azure reads them. The empty text is as no annotation; any other means false."""
    word = text.lower()
    return Reading(word == "true", None if word in ("true", "false", "") else "must be true or false")


def lower_case_boolean(text: str) -> Reading:
    """The same with `true` in lower case only: Azure takes `True` for true in one place and for false in another."""
    found = boolean(text)
    return Reading(False, "must be true or false, in lower case") if found.value and text != "true" else found


def number(lowest: int, highest: int, unit: str) -> Reader:
    """A reader of whole numbers within bounds; a sign `+` is allowed. A number out of bounds is the value, too."""
    return partial(_number, lowest, highest, unit)


def one_of(*words: str) -> Reader:
    """A reader of one of several words, in upper or lower case, with spaces around it."""
    return partial(_one_of, words)


def address(version: int) -> Reader:
    """A reader of an address of an IP version, as canonical text; the empty one, and any wrong one, means none."""
    return partial(_address, version)


def addresses(text: str) -> Reading:
    """A list of addresses of any family, as canonical texts. Azure allows no spaces after its commas."""
    found = _list(text, _any_address)
    spaced = any(character.isspace() for character in text.strip())
    return Reading(found.value, found.problem or ("must have no spaces between addresses" if spaced else None))


def frontend_addresses(text: str) -> Reading:
    """A list of addresses, one of each family at most, as canonical texts."""
    found = _list(text, _any_address)
    several = len({":" in each for each in found.value}) < len(found.value)
    return Reading(found.value, found.problem or ("must be one address of each IP family at most" if several else None))


def any_text(text: str) -> Reading:
    """Any text."""
    return Reading(text)


def networks(text: str) -> Reading:
    """A list of CIDRs, as canonical texts."""
    return _list(text, _any_network)


def networks_checked_elsewhere(text: str) -> Reading:
    """A list of CIDRs. A rule of Kubernetes says what is wrong with them."""
    return Reading(networks(text).value)


def service_tags(text: str) -> Reading:
    """A list of service tags. The empty text is as no annotation."""
    return _list(text, _service_tag) if text.strip() else Reading(())


def resource_name(text: str) -> Reading:
    """The name of an Azure resource. A wrong name is the value, too; no resource has it."""
    return Reading(text, "; ".join(resource_name_problems(text)) or None)


def subnet(text: str) -> Reading:
    """The name of a subnet. A blank text is the default one."""
    return resource_name(text) if text.strip() else Reading("")


def address_name(text: str) -> Reading:
    """The name of an address, `name` or `namespace/name`. The empty text is as no annotation."""
    if not text:
        return Reading("")
    namespace, slash, name = text.rpartition("/")
    problems = resource_name_problems(name)
    if slash and dns_label_problems(namespace):
        problems = [*problems, "before the '/' there must be the name of a namespace"]
    return Reading(text, "; ".join(problems) or None)


def dns_label(text: str) -> Reading:
    """A DNS label that begins with a letter, as Azure wants it. The empty text removes the present label."""
    problems = dns_label_problems(text) if text else []
    if not problems and text[:1].isdigit():
        problems = ["must begin with a letter"]
    return Reading(None, "; ".join(problems)) if problems else Reading(text)


def path(text: str) -> Reading:
    """The path of an HTTP request. Azure takes one without a slash, too."""
    if text and text.isprintable() and not text[0].isspace():
        return Reading(text)
    return Reading(None, "must be a path, such as /healthz")


def port(text: str) -> Reading:
    """The number or the name of a port. Azure compares names in any case; the value is in lower case."""
    if _DIGITS.fullmatch(text) and not port_number_problems(int(text)):
        return Reading(int(text))
    problems = port_name_problems(text.lower())
    if not problems:
        return Reading(text.lower())
    return Reading(
        None, f"must be a port number from 1 to {MAX_PORT} or a port's name, which {', and '.join(problems)}"
    )


def _number(lowest: int, highest: int, unit: str, text: str) -> Reading:
    found = int(text) if _SIGNED.fullmatch(text) else None
    valid = found is not None and lowest <= found <= highest
    return Reading(found, None if valid else f"must be a number from {lowest} to {highest} {unit}")


def _one_of(words: tuple[str, ...], text: str) -> Reading:
    word = text.strip().lower()
    return Reading(word) if word in words else Reading(None, f"must be one of {', '.join(words)}")


def _address(version: int, text: str) -> Reading:
    if not text:
        return Reading("")
    found = strict_address(text)
    valid = found is not None and found.version == version
    return Reading(str(found)) if valid else Reading("", f"must be an IPv{version} address")


def _list(text: str, read: Reader) -> Reading:
    """The valid parts of a comma-separated list, each once, and the first problem."""
    readings = [read(part.strip()) for part in text.split(",")]
    return Reading(_each_once(readings), next((each.problem for each in readings if each.problem), None))


def _each_once(readings: Iterable[Reading]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(each.value for each in readings if each.value))


def _any_address(text: str) -> Reading:
    found = strict_address(text)
    return Reading(str(found)) if found is not None else Reading("", f"must be IP addresses, not {text!r}")


def _any_network(text: str) -> Reading:
    found = strict_network(text)
    if found is not None:
        return Reading(str(found))
    return Reading("", f"must be CIDRs such as 10.9.8.0/24, not {text!r}")


def _service_tag(text: str) -> Reading:
    if len(text) <= _LONGEST_TAG and _SERVICE_TAG.fullmatch(text):
        return Reading(text)
    return Reading("", f"must be names of service tags, such as AzureCloud or Storage.WestEurope, not {text!r}")
