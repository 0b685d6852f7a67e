"""The syntax of label keys and values: qualified names whose prefix is an RFC 1123 subdomain (metadata.labels)."""

import re

MAX_NAME = 63
"""Characters that a label value may have, and a key without its prefix."""

MAX_PREFIX = 253
"""Characters that the prefix of a key may have."""

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_FORM = "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"


def label_key_problem(key: str) -> str | None:
    """What is wrong with a label key such as `app` or `example.com/app`; None if it is valid."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > MAX_PREFIX or not _PREFIX.fullmatch(prefix)):
        return f"the prefix must be a lower-case DNS subdomain of at most {MAX_PREFIX} characters, such as example.com"
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        return f"the name must be 1 to {MAX_NAME} {_FORM}, such as app.kubernetes.io/name"
    return None


def label_value_problem(value: str) -> str | None:
    """What is wrong with a label value; None if it is valid. The empty value is valid."""
    if value and (len(value) > MAX_NAME or not _NAME.fullmatch(value)):
        return f"a value must be empty or at most {MAX_NAME} {_FORM}"
    return None
