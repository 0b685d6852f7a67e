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

SERVICE_TAGS = ("AzureLoadBalancer", "Internet", "VirtualNetwork")
"""Service tags whose ranges do not depend on a list that Azure publishes."""

_DIGITS = re.compile(r"[0-9]{1,9}")


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
    """`true` or `false`; any other text means false."""
    return Reading(text == "true", None if text in ("true", "false") else "must be true or false, in lower case")


def number(lowest: int, highest: int, unit: str) -> Reader:
    """A reader of whole numbers within bounds. A number out of bounds is a problem, but is the value."""
    return partial(_number, lowest, highest, unit)


def one_of(*words: str) -> Reader:
    """A reader of one of several words, in upper or lower case."""
    return partial(_one_of, words)


def address(version: int) -> Reader:
    """A reader of an address of an IP version, as canonical text; any other text means none."""
    return partial(_address, version)


def addresses(text: str) -> Reading:
    """A list of addresses of any family, as canonical texts."""
    return _list(text, _any_address)


def networks(text: str) -> Reading:
    """A list of CIDRs, as canonical texts."""
    return _list(text, _any_network)


def networks_checked_elsewhere(text: str) -> Reading:
    """A list of CIDRs. A rule of Kubernetes says what is wrong with them."""
    return Reading(networks(text).value)


def service_tags(text: str) -> Reading:
    """A list of service tags."""
    return _list(text, _service_tag)


def resource_name(text: str) -> Reading:
    """The name of an Azure resource. A wrong name is the value, too; no resource has it."""
    return Reading(text, "; ".join(resource_name_problems(text)) or None)


def dns_label(text: str) -> Reading:
    """A DNS label. The empty text removes the present label."""
    problems = dns_label_problems(text) if text else []
    return Reading(None, "; ".join(problems)) if problems else Reading(text)


def path(text: str) -> Reading:
    """The path of an HTTP request."""
    if text.startswith("/") and text.isprintable():
        return Reading(text)
    return Reading(None, "must be a path, such as /healthz")


def port(text: str) -> Reading:
    """The number or the name of a port."""
    found = _whole_number(text)
    if found is not None and not port_number_problems(found):
        return Reading(found)
    problems = port_name_problems(text)
    if not problems:
        return Reading(text)
    return Reading(
        None, f"must be a port number from 1 to {MAX_PORT} or a port's name, which {', and '.join(problems)}"
    )


def _number(lowest: int, highest: int, unit: str, text: str) -> Reading:
    found = _whole_number(text)
    valid = found is not None and lowest <= found <= highest
    return Reading(found, None if valid else f"must be a number from {lowest} to {highest} {unit}")


def _whole_number(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) else None


def _one_of(words: tuple[str, ...], text: str) -> Reading:
    word = text.lower()
    return Reading(word) if word in words else Reading(None, f"must be one of {', '.join(words)}")


def _address(version: int, text: str) -> Reading:
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
    return Reading(text, None if text in SERVICE_TAGS else f"must be of {', '.join(SERVICE_TAGS)}, not {text!r}")
