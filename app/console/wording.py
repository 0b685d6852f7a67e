"""How values are written on pages."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment(text: str | None, now: datetime | None = None) -> Markup:
    """A time as RFC 3339 has it, for people: to the second, in UTC, with how long ago it was.

    Args:
        text: The time; nothing is written for one that is missing.
        now: The present time.
    """
    try:
        then = datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return escape(text or "")
    passed = (now or datetime.now(UTC)) - then
    return Markup('<time datetime="{}">{} UTC <small>{}</small></time>').format(
        text, then.strftime("%Y-%m-%d %H:%M:%S"), _ago(passed)
    )


def _ago(passed: timedelta) -> str:
    seconds = int(passed.total_seconds())
    if seconds < 1:
        return "now" if seconds > -2 else "later"  # noqa: PLR2004 - clocks differ by a second
    size, unit = next((size, unit) for size, unit in _STEPS if seconds >= size)
    return f"{seconds // size} {unit} ago"


def cell(text: str) -> Markup:
    """A cell of a Table: it may be broken after commas and slashes, and what stands for nothing is written softly."""
    if text in {"<none>", "<unset>", ""}:
        return Markup('<span class="soft">{}</span>').format(text)
    if text == "<pending>":
        return Markup('<span class="pending">pending</span>')
    return Markup("<wbr>").join(escape(part) for part in _parts(text))


def prose(text: str) -> Markup:
    """What the API says of itself: names stand between backticks."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(text.split("`"))
    )


def _parts(text: str) -> list[str]:
    return text.replace(",", ",\0").split("\0")


def several(kind: str, plural: str) -> str:
    """The name of a kind in the plural, as its documents write it: ConfigMaps.

    Args:
        kind: ConfigMap.
        plural: configmaps.
    """
    if plural.startswith(kind.lower()):
        return kind + plural[len(kind) :]
    return f"{kind[:-1]}ies" if plural.endswith("ies") else kind
