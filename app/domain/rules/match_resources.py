"""Which requests a policy or a binding is about: defaults, what is valid, and whether a request fits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from app.domain.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from app.domain.kinds.admission_policy import MatchResources, NamedRuleWithOperations
from app.domain.kinds.meta import LabelSelector
from app.domain.rules.label_selectors import matcher_of, selector_causes

ALL = "*"
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES = ("*", "Cluster", "Namespaced")
MATCH_POLICIES = ("Equivalent", "Exact")


class WriteRequest(NamedTuple):
    """A write, as rules of policies see it.

    Attributes:
        operation: CREATE, UPDATE or DELETE.
        group: API group of the resource.
        version: Version of the group.
        resource: The resource, with its subresource after a slash.
        namespaced: Whether the resource lives in namespaces.
        name: The name of the object.
        namespace_labels: Labels of its namespace; None if it is in none.
        labels: Labels of the object as it was and as it would be, where it was and would be.
    """

    operation: str
    group: str
    version: str
    resource: str
    namespaced: bool
    name: str
    namespace_labels: Mapping[str, str] | None
    labels: Sequence[Mapping[str, str]]


def default_match(match: MatchResources | None) -> None:
    """Set the defaults of what a client left out."""
    if match is None:
        return
    match.match_policy = match.match_policy or "Equivalent"
    match.namespace_selector = match.namespace_selector or LabelSelector()
    match.object_selector = match.object_selector or LabelSelector()
    for rule in (*(match.resource_rules or ()), *(match.exclude_resource_rules or ())):
        rule.scope = rule.scope or ALL


def match_causes(field: str, match: MatchResources, *, needs_rules: bool) -> Iterator[Cause]:
    """Name what is wrong."""
    if match.match_policy not in MATCH_POLICIES:
        yield not_supported(f"{field}.matchPolicy", match.match_policy, MATCH_POLICIES)
    yield from selector_causes(f"{field}.namespaceSelector", match.namespace_selector)
    yield from selector_causes(f"{field}.objectSelector", match.object_selector)
    if needs_rules and not match.resource_rules:
        yield required(f"{field}.resourceRules", "give at least one rule that says which requests are meant")
    for name, rules in (
        ("resourceRules", match.resource_rules),
        ("excludeResourceRules", match.exclude_resource_rules),
    ):
        for index, rule in enumerate(rules or ()):
            yield from _rule_causes(f"{field}.{name}[{index}]", rule)


def _rule_causes(field: str, rule: NamedRuleWithOperations) -> Iterator[Cause]:
    yield from _value_causes(f"{field}.operations", rule.operations, "give at least one operation, such as CREATE")
    for index, operation in enumerate(rule.operations or ()):
        if operation not in OPERATIONS:
            yield not_supported(f"{field}.operations[{index}]", operation, OPERATIONS)
    yield from _value_causes(f"{field}.apiGroups", rule.api_groups, 'give at least one, such as "" for the core group')
    yield from _value_causes(f"{field}.apiVersions", rule.api_versions, "give at least one, such as v1")
    for index, version in enumerate(rule.api_versions or ()):
        if not version:
            yield required(f"{field}.apiVersions[{index}]", "a version is not empty")
    yield from _resource_causes(f"{field}.resources", rule.resources or [])
    for index, name in enumerate(rule.resource_names or ()):
        if name in (rule.resource_names or [])[:index]:
            yield duplicate(f"{field}.resourceNames[{index}]", name)
    if rule.scope not in SCOPES:
        yield not_supported(f"{field}.scope", rule.scope, SCOPES)


def _value_causes(field: str, values: Sequence[str] | None, needed: str) -> Iterator[Cause]:
    """Name what is wrong with values of which * means all."""
    if not values:
        yield required(field, needed)
    elif ALL in values and len(values) > 1:
        yield invalid(field, list(values), "if '*' is present, must not specify other values")


def _resource_causes(field: str, resources: Sequence[str]) -> Iterator[Cause]:
    if not resources:
        yield required(field, "give at least one resource, such as services")
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(field, list(resources), "if '*/*' is present, must not specify other resources")
    for index, resource in enumerate(resources):
        if not resource:
            yield required(f"{field}[{index}]", "a resource is not empty")
        if resource in resources[:index]:
            yield duplicate(f"{field}[{index}]", resource)
    if len(resources) > 1 and ALL in resources and not any("/" in each for each in resources):
        yield invalid(
            field, list(resources), "if '*' is present, must not specify other resources without subresources"
        )


def paths_of_params_causes(field: str, name: str, *, selector: bool) -> Iterator[Cause]:
    """Name what is wrong with how parameters are referred to: by a name or by a selector, not by both."""
    if name and selector:
        yield forbidden(f"{field}.name", "name and selector are mutually exclusive: give one of them")
    if not name and not selector:
        yield required(field, "one of name or selector must be specified")


def fits(match: MatchResources, request: WriteRequest, *, without_rules: bool = False) -> bool:
    """Whether a request is meant.

    Args:
        match: What is meant, with defaults.
        request: The request.
        without_rules: Whether all requests are meant where there are no rules.
    """
    rules = match.resource_rules or ()
    return (
        (any(_rule_fits(rule, request) for rule in rules) or (without_rules and not rules))
        and not any(_rule_fits(rule, request) for rule in match.exclude_resource_rules or ())
        and _namespace_fits(match.namespace_selector, request)
        and _object_fits(match.object_selector, request)
    )


def may_fit(match: MatchResources, request: WriteRequest) -> bool:
    """Whether a request of this kind may be meant, whatever its names and labels are."""
    return any(_kind_fits(rule, request) for rule in match.resource_rules or ())


def _rule_fits(rule: NamedRuleWithOperations, request: WriteRequest) -> bool:
    return _kind_fits(rule, request) and (not rule.resource_names or request.name in rule.resource_names)


def _kind_fits(rule: NamedRuleWithOperations, request: WriteRequest) -> bool:
    scope = "Namespaced" if request.namespaced else "Cluster"
    return (
        _has(rule.operations, request.operation)
        and _has(rule.api_groups, request.group)
        and _has(rule.api_versions, request.version)
        and rule.scope in (None, ALL, scope)
        and any(_resource_fits(each, request.resource) for each in rule.resources or ())
    )


def _has(values: Sequence[str] | None, value: str) -> bool:
    return ALL in (values or ()) or value in (values or ())


def _resource_fits(wanted: str, resource: str) -> bool:
    kind, slash, subresource = wanted.partition("/")
    own_kind, _, own_subresource = resource.partition("/")
    return kind in (ALL, own_kind) and (subresource == own_subresource if not slash or subresource != ALL else True)


def _namespace_fits(selector: LabelSelector | None, request: WriteRequest) -> bool:
    """What is in no namespace fits any selector, as in Kubernetes; a Namespace has its own labels."""
    if selector is None or request.namespace_labels is None:
        return True
    return matcher_of(selector).matches(request.namespace_labels)


def _object_fits(selector: LabelSelector | None, request: WriteRequest) -> bool:
    if selector is None:
        return True
    matcher = matcher_of(selector)
    return any(matcher.matches(labels) for labels in request.labels)
