"""Whether some rights contain others, so that nobody gives away what they do not have (rbac/v1 validation)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from app.domain.kinds.role import PolicyRule
from app.domain.rules.access.rights import ALL, CompiledRule, compiled
from app.domain.user import User

MAX_RIGHTS = 10_000
"""Single rights that are compared one by one. Whoever may not `escalate` cannot give more at once."""


def missing(held: Sequence[CompiledRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The rights in `wanted` that are not in `held`, in rules that name as little as possible.

    Rules that one rule in `held` covers whole cost a look-up for each word in them. Others are taken apart into single
    rights; if these are more than `MAX_RIGHTS`, the rules count as missing whole.
    """
    open_rules = [each for each in compiled(wanted) if not any(_covers(rule, each) for rule in held)]
    if sum(map(_size, open_rules)) > MAX_RIGHTS:
        return [each.rule for each in open_rules]
    single = compiled(right for each in open_rules for right in _taken_apart(each.rule))
    return _compacted(right.rule for right in single if not any(_covers(rule, right) for rule in held))


def refusal_text(user: User, lacking: Iterable[PolicyRule]) -> str:
    """Why a role cannot be written or bound, in the words of Kubernetes."""
    rules = "\n".join(sorted({_described(rule) for rule in lacking}))
    groups = _listed(user.groups)
    return f'user "{user.name}" (groups={groups}) is attempting to grant RBAC permissions not currently held:\n{rules}'


def _covers(held: CompiledRule, wanted: CompiledRule) -> bool:
    """Whether one rule contains another one (ruleCovers)."""
    return (
        (ALL in held.verbs or held.verbs >= wanted.verbs)
        and (ALL in held.groups or held.groups >= wanted.groups)
        and (ALL in held.resources or all(_has_resource(held, each) for each in wanted.resources))
        and (not held.names or (bool(wanted.names) and held.names >= wanted.names))
        and all(path in held.paths or path.startswith(held.prefixes) for path in wanted.paths)
    )


def _has_resource(held: CompiledRule, resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return resource in held.resources or (bool(slash) and f"*/{subresource}" in held.resources)


def _size(each: CompiledRule) -> int:
    resources = len(each.groups) * len(each.resources) * max(1, len(each.names))
    return len(each.verbs) * (resources + len(each.paths))


def _taken_apart(rule: PolicyRule) -> Iterator[PolicyRule]:
    """Rules of one verb, group, resource and name, or of one verb and path (BreakdownRule)."""
    verbs = dict.fromkeys(rule.verbs or ())
    resources = product(*map(dict.fromkeys, (rule.api_groups or (), rule.resources or (), verbs)))
    for group, resource, verb in resources:
        for name in dict.fromkeys(rule.resource_names or (None,)):
            names = None if name is None else [name]
            yield PolicyRule(verbs=[verb], api_groups=[group], resources=[resource], resource_names=names)
    for path, verb in product(dict.fromkeys(rule.non_resource_urls or ()), verbs):
        yield PolicyRule(verbs=[verb], non_resource_urls=[path])


def _compacted(single: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The same with the verbs of each resource in one rule (CompactRules); paths stay as they are."""
    rules: list[PolicyRule] = []
    by_resource: dict[tuple[str, str, tuple[str, ...]], PolicyRule] = {}
    for right in single:
        if not right.resources or not right.api_groups:
            rules.append(right)
            continue
        key = (right.api_groups[0], right.resources[0], tuple(right.resource_names or ()))
        known = by_resource.get(key)
        if known is None:
            by_resource[key] = right
        else:
            known.verbs = [*(known.verbs or ()), *(right.verbs or ())]
    return [*rules, *by_resource.values()]


def _described(rule: PolicyRule) -> str:
    parts = {
        "APIGroups": rule.api_groups,
        "Resources": rule.resources,
        "NonResourceURLs": rule.non_resource_urls,
        "ResourceNames": rule.resource_names,
        "Verbs": rule.verbs,
    }
    return "{" + ", ".join(f"{name}:{_listed(values)}" for name, values in parts.items() if values) + "}"


def _listed(texts: Sequence[str]) -> str:
    """A list as Go prints one with %q."""
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"
