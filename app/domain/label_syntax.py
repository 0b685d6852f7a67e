"""The syntax of label keys and values: qualified names whose prefix is an RFC 1123 subdomain (metadata.labels).

Each function returns everything that is wrong with a text, as Kubernetes does; an empty list means that it is valid.
"""

import re

MAX_NAME = 63
"""Bytes of a label value, and of a key after its prefix."""

MAX_PREFIX = 253
"""Bytes of a key's prefix."""

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_FORM = "letters, digits, '-', '_' and '.', and begin and end with a letter or digit"


def length_problems(text: str, limit: int) -> list[str]:
    """Whether a text has more than `limit` bytes."""
    return [f"must be no more than {limit} characters"] if len(text.encode()) > limit else []


def label_key_problems(key: str) -> list[str]:
    """What is wrong with a label key such as `app` or `example.com/app`."""
    prefix, slash, name = key.partition("/")
    if "/" in name:
        return ["must be a name such as app, or a DNS subdomain, '/' and a name, such as example.com/app"]
    return [*_prefix_problems(prefix), *_name_problems(name)] if slash else _name_problems(key)


def label_value_problems(value: str) -> list[str]:
    """What is wrong with a label value. The empty value is valid."""
    if not value or (len(value) <= MAX_NAME and _NAME.fullmatch(value)):
        return []
    problems = length_problems(value, MAX_NAME)
    if not _NAME.fullmatch(value):
        problems.append(f"must be empty or have only {_FORM}")
    return problems


def _prefix_problems(prefix: str) -> list[str]:
    if not prefix:
        return ["the prefix before '/' must not be empty; leave '/' out, or write a prefix such as example.com"]
    problems = [f"the prefix {problem}" for problem in length_problems(prefix, MAX_PREFIX)]
    if not _PREFIX.fullmatch(prefix):
        problems.append("the prefix must be a lower-case DNS subdomain, such as example.com")
    return problems


def _name_problems(name: str) -> list[str]:
    if len(name) <= MAX_NAME and _NAME.fullmatch(name):
        return []
    problems = length_problems(name, MAX_NAME) if name else ["must not be empty"]
    if not _NAME.fullmatch(name):
        problems.append(f"must have only {_FORM}, such as app.kubernetes.io/name")
    return [f"the name {problem}" for problem in problems]
