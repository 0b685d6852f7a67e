"""Label selectors in the fields of objects (meta/v1 LabelSelector)."""

from collections.abc import Iterator

from app.domain.errors import Cause, forbidden, invalid_for, not_supported, required
from app.domain.kinds.meta import LabelSelector, LabelSelectorRequirement
from app.domain.label_syntax import label_key_problems, label_value_problems
from app.domain.selectors import LabelRequirement, Operator
from app.domain.selectors import LabelSelector as Matcher

_OPERATORS: dict[str, Operator] = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def selector_causes(field: str, selector: LabelSelector | None) -> list[Cause]:
    """Name everything that is wrong with a selector."""
    if selector is None:
        return []
    causes = [
        cause
        for key, value in (selector.match_labels or {}).items()
        for text, problems in ((key, label_key_problems(key)), (value, label_value_problems(value)))
        for cause in invalid_for(f"{field}.matchLabels", text, problems)
    ]
    for index, each in enumerate(selector.match_expressions or []):
        causes += _requirement_causes(f"{field}.matchExpressions[{index}]", each)
    return causes


def matcher_of(selector: LabelSelector) -> Matcher:
    """The matcher of a valid selector."""
    equal = [LabelRequirement(key, "in", frozenset([value])) for key, value in (selector.match_labels or {}).items()]
    others = [
        LabelRequirement(each.key, _OPERATORS[each.operator], frozenset(each.values or []))
        for each in selector.match_expressions or []
    ]
    return Matcher((*equal, *others))


def _requirement_causes(field: str, requirement: LabelSelectorRequirement) -> Iterator[Cause]:
    yield from invalid_for(f"{field}.key", requirement.key, label_key_problems(requirement.key))
    takes_values = requirement.operator in ("In", "NotIn")
    if requirement.operator not in _OPERATORS:
        yield not_supported(f"{field}.operator", requirement.operator, _OPERATORS)
    elif takes_values and not requirement.values:
        yield required(f"{field}.values", "the operators In and NotIn need at least one value")
    elif requirement.values and not takes_values:
        yield forbidden(f"{field}.values", "the operators Exists and DoesNotExist take no values")
    for index, value in enumerate(requirement.values or []):
        yield from invalid_for(f"{field}.values[{index}]", value, label_value_problems(value))
