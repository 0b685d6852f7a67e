"""What is wrong with an access review, and what it asks (ValidateSubjectAccessReviewSpec of the API server)."""

from collections.abc import Iterator, Sequence

from app.domain.errors import Cause, forbidden, invalid, not_supported, required
from app.domain.kinds.access_review import (
    FieldSelectorAttributes,
    LabelSelectorAttributes,
    LocalSubjectAccessReview,
    ResourceAttributes,
    SelfSubjectAccessReviewSpec,
    SubjectAccessReviewSpec,
)
from app.domain.kinds.meta import FieldSelectorRequirement, LabelSelectorRequirement
from app.domain.rules.access.requests import PathRequest, Request, ResourceRequest
from app.domain.user import User

_WITH_VALUES, _WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")


def spec_causes(spec: SelfSubjectAccessReviewSpec) -> list[Cause]:
    """Name everything that is wrong with what a review asks."""
    causes: list[Cause] = []
    resource, path = spec.resource_attributes, spec.non_resource_attributes
    if resource is not None and path is not None:
        message = "exactly one of resourceAttributes and nonResourceAttributes must be given"
        causes.append(invalid("spec.nonResourceAttributes", path.path, message))
    elif resource is None and path is None:
        message = "exactly one of resourceAttributes and nonResourceAttributes must be given"
        causes.append(invalid("spec.resourceAttributes", None, message))
    if isinstance(spec, SubjectAccessReviewSpec) and not spec.user and not spec.groups:
        causes.append(invalid("spec.user", spec.user, "at least one of user and groups must be given"))
    return causes if resource is None else [*causes, *_selector_causes(resource)]


def local_causes(review: LocalSubjectAccessReview, namespace: str) -> list[Cause]:
    """Name everything that is wrong with a review that was sent to a namespace."""
    causes, spec = spec_causes(review.spec), review.spec
    if spec.resource_attributes is not None and spec.resource_attributes.namespace != namespace:
        asked = spec.resource_attributes.namespace
        causes.append(invalid("spec.resourceAttributes.namespace", asked, f"must be {namespace}, as in the path"))
    if spec.non_resource_attributes is not None:
        message = "a path is in no namespace; send a SubjectAccessReview"
        causes.append(invalid("spec.nonResourceAttributes", spec.non_resource_attributes.path, message))
    return causes


def asked(spec: SelfSubjectAccessReviewSpec) -> Request:
    """What a valid review asks."""
    if spec.non_resource_attributes is not None:
        return PathRequest(spec.non_resource_attributes.verb, spec.non_resource_attributes.path)
    of = spec.resource_attributes or ResourceAttributes()
    return ResourceRequest(of.verb, of.group, of.resource, of.subresource, of.namespace, of.name)


def subject(spec: SubjectAccessReviewSpec) -> User:
    """About whom a review asks: exactly this user, in exactly these groups."""
    extra = {key: tuple(values) for key, values in (spec.extra or {}).items()}
    return User(spec.user, spec.uid, tuple(spec.groups or ()), extra)


def _selector_causes(attributes: ResourceAttributes) -> Iterator[Cause]:
    selectors: dict[str, FieldSelectorAttributes | LabelSelectorAttributes | None] = {
        "fieldSelector": attributes.field_selector,
        "labelSelector": attributes.label_selector,
    }
    for name, selector in selectors.items():
        if selector is None:
            continue
        where = f"spec.resourceAttributes.{name}"
        if selector.raw_selector and selector.requirements:
            message = "may not be given together with requirements"
            yield invalid(f"{where}.rawSelector", selector.raw_selector, message)
        elif not selector.raw_selector and not selector.requirements:
            yield required(f"{where}.requirements", f"a {name} has requirements or a rawSelector")
        yield from _requirement_causes(f"{where}.requirements", selector.requirements or ())


def _requirement_causes(
    where: str, requirements: Sequence[FieldSelectorRequirement | LabelSelectorRequirement]
) -> Iterator[Cause]:
    for index, each in enumerate(requirements):
        field = f"{where}[{index}]"
        if not each.key:
            yield required(f"{field}.key", "name what the requirement is about")
        if each.operator in _WITH_VALUES and not each.values:
            yield required(f"{field}.values", "the operators In and NotIn need at least one value")
        elif each.operator in _WITHOUT_VALUES and each.values:
            yield forbidden(f"{field}.values", "the operators Exists and DoesNotExist take no values")
        elif each.operator not in (*_WITH_VALUES, *_WITHOUT_VALUES):
            yield not_supported(f"{field}.operator", each.operator, (*_WITH_VALUES, *_WITHOUT_VALUES))
