"""What an Envoy refused (a NACK): which resource of a response it was, in Envoy's own words, and when to try again."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_PARTIAL = re.compile(r"Error adding/updating (?:listener|cluster)\(s\) ")
"""Envoy says so when it took the other resources of the response: each that it did not take is named."""

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 60.0
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class Rejection:
    """A resource that an Envoy does not take.

    Attributes:
        version: The version that it does not take.
        message: Why, in Envoy's words.
        attempts: How often it was sent.
        retry_at: When it is sent again, in seconds of the clock that the session is given: a port that another
            program holds may be free by then, and Envoy does not try by itself.
    """

    version: str
    message: str
    attempts: int
    retry_at: float

    @classmethod
    def after(cls, earlier: "Rejection | None", version: str, message: str, now: float) -> "Rejection":
        """The rejection of a version that may have been rejected before."""
        attempts = 1 if earlier is None or earlier.version != version else earlier.attempts + 1
        delay = min(_FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 10), _LONGEST_RETRY_SECONDS)
        return cls(version, message[:_LONGEST_MESSAGE], attempts, now + delay)


def culprits(message: str, names: Collection[str]) -> dict[str, str]:
    """The resources that are certainly to blame for the rejection of a response, with what is said of each.

    Args:
        message: Envoy's.
        names: Of the resources of the response.

    Returns:
        Nothing where that is not certain: then nothing of the response counts as taken.
    """
    if len(names) == 1:
        return dict.fromkeys(names, _PARTIAL.sub("", message).strip())
    found = _PARTIAL.match(message)
    return {} if found is None else dict(_named(message[found.end() :], names))


def _named(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each name at the beginning of a part of the text, with the part: `name: words`, separated by `, ` or lines."""
    starts = sorted((start, name) for name in names for start in _beginnings(text, name))
    for (start, name), (end, _) in zip(starts, [*starts, (len(text), "")][1:], strict=True):
        yield name, text[start + len(name) + 2 : end].rstrip(", \n")


def _beginnings(text: str, name: str) -> Iterator[int]:
    """Where parts of a text begin with a name."""
    if text.startswith(f"{name}: "):
        yield 0
    for mark in ("\n", ", "):
        at = text.find(f"{mark}{name}: ")
        while at >= 0:
            yield at + len(mark)
            at = text.find(f"{mark}{name}: ", at + 1)


def explained(message: str) -> str:
    """Envoy's words, and what helps where that is known."""
    if "cannot bind" in message and "Permission denied" in message:
        return f"{message}; ports below 1024 need a right: run sysctl net.ipv4.ip_unprivileged_port_start=80"
    if "cannot bind" in message and "Address already in use" in message:
        return f"{message}; stop the program that has the port"
    return message
