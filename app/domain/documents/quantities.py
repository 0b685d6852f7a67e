"""Quantities such as 1500m, 1k and 2Gi, read and written as Kubernetes does (resource.Quantity)."""

import re
from decimal import ROUND_CEILING, ROUND_UP, Decimal, localcontext

_NUMBER = r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?"
QUANTITY_PATTERN = rf"\A{_NUMBER}\Z"
"""Matches what can be read as a quantity."""

_FORM = re.compile(QUANTITY_PATTERN)
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL = {power: suffix for suffix, power in _POWERS.items()} | {0: ""}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_KIBI = 1024
_SMALLEST_POWER, _LARGEST_POWER = -9, 18
_LARGEST = Decimal(2**63 - 1)
_DIGITS = 120
"""Of intermediate results: more than the longest text and the largest power together."""


def read_quantity(text: str) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: The text is no quantity.
    """
    number, _ = _parts(text)
    return number


def canonical_quantity(text: str) -> str:
    """A quantity as Kubernetes writes it: no fraction, and the greatest suffix with which there is none.

    The suffixes stay those of the text: decimal, binary, or exponents. What is smaller than a billionth is rounded up.
    `1000` is `1k`, `0.5` is `500m`, `1024Mi` is `1Gi`.

    Raises:
        ValueError: The text is no quantity.
    """
    number, suffix = _parts(text)
    with localcontext(prec=_DIGITS):
        number = max(-_LARGEST, min(_LARGEST, number))
        if suffix in _BINARY[1:] and abs(number) >= _KIBI:
            return _binary(int(number.to_integral_value(ROUND_CEILING)))
        units = int(number.scaleb(-_SMALLEST_POWER).to_integral_value(ROUND_UP))
    return _decimal(units, exponents=suffix[:1] in ("e", "E") and suffix != "E")


def _parts(text: str) -> tuple[Decimal, str]:
    """The number and the suffix."""
    found = _FORM.match(text)
    if found is None:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number, suffix = Decimal(found[1]), found[2] or ""
    with localcontext(prec=_DIGITS):
        if suffix in _BINARY:
            return number * Decimal(_KIBI) ** _BINARY.index(suffix), suffix
        return number.scaleb(_POWERS[suffix] if suffix in _POWERS else int(suffix[1:])), suffix


def _binary(number: int) -> str:
    power = 0
    while number % _KIBI == 0 and power < len(_BINARY) - 1:
        number, power = number // _KIBI, power + 1
    return f"{number}{_BINARY[power]}"


def _decimal(units: int, *, exponents: bool) -> str:
    """The text of a number of billionths."""
    power = _SMALLEST_POWER
    while units and units % 1000 == 0 and power < _LARGEST_POWER:
        units, power = units // 1000, power + 3
    if not units:
        return "0"
    return f"{units}e{power}" if exponents and power else f"{units}{_DECIMAL[power]}"
