"""Kubernetes' functions on texts: regular expressions and URLs."""

from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import re2

from app.domain.expressions.costs import charge
from app.domain.expressions.functions import Function, member, tagged, untagged

_LONGEST_PATTERN = 1000
"""Characters of a regular expression."""
_LONGEST_REMEMBERED = 256
"""Characters of a text of which is remembered whether it matches."""
_COST_OF_A_PIECE = 20_000
"""What it costs to make one text more of a list: the library copies a list for each of its items that a loop takes."""
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # whoever wrote a wrong pattern is told
_COST_OF_A_CHARACTER = 4
"""What it costs to make a text, a character."""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[Any, int]:
    """A regular expression, and the size of its program. RE2 takes time linear in the text, whatever the pattern."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"the regular expression has more than {_LONGEST_PATTERN} characters")
    try:
        found = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        raise ValueError(f"{pattern!r} is no regular expression of RE2") from error
    return found, found.programsize


def _for(text: str, pattern: str) -> Any:
    """A pattern that is about to be looked for in a text."""
    found, size = _compiled(pattern)
    charge(len(text) * size)
    return found


def _matches(text: str, pattern: str) -> bool:
    _, size = _compiled(pattern)
    charge(len(text) * size)
    return _is_found(text, pattern) if len(text) <= _LONGEST_REMEMBERED else _is_found.__wrapped__(text, pattern)


@lru_cache(maxsize=1024)
def _is_found(text: str, pattern: str) -> bool:
    """Whether a text matches. Several policies ask the same of one name, and objects have many values in common."""
    # The library for RE2 tells places in a text in characters, and takes twice as long as for bytes.
    return _compiled(pattern)[0].search(text.encode()) is not None


def _find(text: str, pattern: str) -> str:
    found = _for(text, pattern).search(text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    for each in _for(text, pattern).finditer(text):
        if 0 <= limit <= len(found):
            break
        charge(_COST_OF_A_PIECE)
        found.append(each[0])
    return found


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    times = text.count(old) if limit < 0 else min(limit, text.count(old))
    charge(_COST_OF_A_CHARACTER * max(len(text), len(text) + times * (len(new) - len(old))))
    return text.replace(old, new, limit)


def _split_text(text: str, separator: str, limit: int = -1) -> list[str]:
    pieces = text.count(separator) + 1 if limit < 0 else min(limit, text.count(separator) + 1)
    charge(_COST_OF_A_CHARACTER * len(text) + _COST_OF_A_PIECE * pieces)
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1) if limit else []
    head = len(text) if limit < 0 else max(0, limit - 1)
    return [*text[:head], *([text[head:]] if text[head:] or not text else [])] if limit else []


def _join(texts: list[str], separator: str = "") -> str:
    charge(_COST_OF_A_CHARACTER * (sum(map(len, texts)) + len(texts) * len(separator)))
    return separator.join(texts)


def _split(text: str) -> SplitResult:
    """Read an absolute URL or path, as url.ParseRequestURI of Go does."""
    parts = urlsplit(text)
    if not (parts.scheme or text.startswith("/")) or " " in text:
        raise ValueError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    _ = parts.port
    return parts


def _is_url(text: str) -> bool:
    try:
        _split(text)
    except ValueError:
        return False
    return True


def _url(text: str) -> dict[str, Any]:
    _split(text)
    return tagged("url", text=text)


def _parts(url: dict[str, Any]) -> SplitResult:
    return _split(untagged("url", url)["text"])


def _host(url: dict[str, Any]) -> str:
    return _parts(url).netloc.rpartition("@")[2]


def _hostname(url: dict[str, Any]) -> str:
    return _parts(url).hostname or ""


def _port(url: dict[str, Any]) -> str:
    port = _parts(url).port
    return "" if port is None else str(port)


TEXTS = (
    member("find", ("string", "string"), "string", _find),
    member("findAll", ("string", "string"), "list", _find_all),
    member("findAll", ("string", "string", "int"), "list", _find_all),
    Function("isURL", ("string",), "bool", _is_url),
    Function("url", ("string",), "map", _url),
    member("getScheme", ("map",), "string", lambda url: _parts(url).scheme),
    member("getHost", ("map",), "string", _host),
    member("getHostname", ("map",), "string", _hostname),
    member("getPort", ("map",), "string", _port),
    member("getEscapedPath", ("map",), "string", lambda url: _parts(url).path),
    member("getQuery", ("map",), "map", lambda url: parse_qs(_parts(url).query, keep_blank_values=True)),
)

BOUNDED = (
    member("bounded_matches", ("string", "string"), "bool", _matches),
    Function("bounded_matches", ("string", "string"), "bool", _matches),
    member("bounded_replace", ("string", "string", "string"), "string", _replace),
    member("bounded_replace", ("string", "string", "string", "int"), "string", _replace),
    member("bounded_split", ("string", "string"), "list", _split_text),
    member("bounded_split", ("string", "string", "int"), "list", _split_text),
    member("bounded_join", ("list",), "string", _join),
    member("bounded_join", ("list", "string"), "string", _join),
)
"""What is called instead of standard functions whose cost the library does not bound. `matches` keeps compiled
patterns, too; the library compiles one each time it is needed."""
INSTEAD_OF = {each: f"bounded_{each}" for each in ("join", "matches", "replace", "split")}
