"""The admission policies and their bindings of this moment, compiled, and what they need to know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from app.domain.declarations.admission_policies import VALIDATING_ADMISSION_POLICY, VALIDATING_ADMISSION_POLICY_BINDING
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object
from app.domain.kinds.admission_policy import MatchResources, ParamRef, ValidatingAdmissionPolicyBinding
from app.domain.kinds.meta import LabelSelector
from app.domain.rules.label_selectors import matcher_of
from app.domain.rules.match_resources import WriteRequest, fits, may_fit
from app.domain.rules.policy_contentment import is_plain
from app.domain.rules.policy_decisions import CompiledPolicy, compile_policy
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

_POLICIES = VALIDATING_ADMISSION_POLICY.key
_BINDINGS = VALIDATING_ADMISSION_POLICY_BINDING.key
_REMEMBERED = 1024
_DECODER = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy that holds by a binding."""

    policy: CompiledPolicy
    binding: ValidatingAdmissionPolicyBinding


@dataclass(frozen=True, slots=True)
class Meant:
    """The policies that hold for a write.

    Attributes:
        all: Every one, in the order of their bindings' names.
        plain: The policies that can be asked together.
        others: What is bound of the rest.
    """

    all: tuple[Bound, ...]
    plain: tuple[CompiledPolicy, ...]
    others: tuple[Bound, ...]


class AdmissionPolicies:
    """As current as the mirror, to which it subscribes. A policy is compiled once, when it changes."""

    def __init__(self, mirror: Mirror, kinds: Kinds) -> None:
        self._mirror = mirror
        self._kinds = {(kind.api_version, kind.name): kind for kind in kinds}
        self._policies: dict[str, CompiledPolicy] = {}
        self._bindings: dict[str, ValidatingAdmissionPolicyBinding] = {}
        self._bound: tuple[Bound, ...] | None = None
        self._meant: dict[Any, Meant] = {}
        self._concerned: dict[tuple[str, str, str], bool] = {}
        self._names_objects = self._selects_objects = self._selects_namespaces = False
        mirror.subscribe(self._changed, self._reload, (_POLICIES, _BINDINGS))
        self._reload()

    @property
    def bound(self) -> Sequence[Bound]:
        """All policies that hold somewhere, in the order of their bindings' names."""
        if self._bound is None:
            pairs = ((self._policies.get(each.spec.policy_name), each) for _, each in sorted(self._bindings.items()))
            self._bound = tuple(Bound(policy, binding) for policy, binding in pairs if policy is not None)
            self._meant.clear()
            self._concerned.clear()
            matches = [match for each in self._bound for match in _matches(each)]
            self._names_objects = any(map(_names_objects, matches))
            self._selects_objects = any(_selects(match.object_selector) for match in matches)
            self._selects_namespaces = any(_selects(match.namespace_selector) for match in matches)
        return self._bound

    def may_concern(self, operation: str, kind: Kind[Any], subresource: str) -> bool:
        """Whether a policy may hold for writes of a kind, whatever their names and labels are."""
        bound, key = self.bound, (operation, kind.key, subresource)
        found = self._concerned.get(key)
        if found is None:
            resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
            request = WriteRequest(operation, kind.group, kind.version, resource, kind.namespaced, "", None, ())
            constraints = (each.policy.spec.match_constraints for each in bound)
            found = any(each is not None and may_fit(each, request) for each in constraints)
            self._concerned[key] = found
        return found

    def meant(self, request: WriteRequest) -> Meant:
        """The policies that hold for a write. What was found for a request of the same kind is remembered."""
        bound = self.bound
        key = (
            *(request.operation, request.group, request.version, request.resource, request.namespaced),
            request.name if self._names_objects else "",
            frozenset((request.namespace_labels or {}).items()) if self._selects_namespaces else None,
            tuple(frozenset(labels.items()) for labels in request.labels) if self._selects_objects else (),
        )
        found = self._meant.get(key)
        if found is None:
            if len(self._meant) >= _REMEMBERED:
                self._meant.clear()
            found = self._meant[key] = _meant(bound, request)
        return found

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        """A Namespace as a document, None if there is none."""
        entry = self._mirror.get(NAMESPACE.key, "", name)
        return None if entry is None else _decoded(entry.wire)

    def params(self, policy: CompiledPolicy, ref: ParamRef, namespace: str) -> list[Mapping[str, Any]] | None:
        """The parameters of a policy for a request in a namespace; None if their kind is not served."""
        wanted = policy.spec.param_kind
        kind = None if wanted is None else self._kinds.get((wanted.api_version, wanted.kind))
        if kind is None:
            return None
        place = (ref.namespace or namespace) if kind.namespaced else ""
        return [_DECODER.decode(entry.wire) for entry in self._selected(kind, ref, place)]

    def _selected(self, kind: Kind[Any], ref: ParamRef, namespace: str) -> Iterator[Entry]:
        if ref.name:
            entry = self._mirror.get(kind.key, namespace, ref.name)
            if entry is not None:
                yield entry
            return
        matcher = None if ref.selector is None else matcher_of(ref.selector)
        for entry in self._mirror.list(kind.key, namespace or None):
            labels = decode_object(kind, entry.wire).metadata.labels or {}
            if matcher is None or matcher.matches(labels):
                yield entry

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._learn(change.entry, gone=change.type == "DELETED")

    def _reload(self) -> None:
        self._policies.clear()
        self._bindings.clear()
        self._bound = None
        for kind in (_POLICIES, _BINDINGS):
            for entry in self._mirror.list(kind, None):
                self._learn(entry)

    def _learn(self, entry: Entry, *, gone: bool = False) -> None:
        self._bound = None
        if entry.kind == _POLICIES:
            self._policies.pop(entry.name, None)
            if not gone:
                self._policies[entry.name] = compile_policy(decode_object(VALIDATING_ADMISSION_POLICY, entry.wire))
            return
        self._bindings.pop(entry.name, None)
        if not gone:
            self._bindings[entry.name] = decode_object(VALIDATING_ADMISSION_POLICY_BINDING, entry.wire)


@lru_cache(maxsize=64)
def _decoded(wire: bytes) -> Mapping[str, Any]:
    """A Namespace, which most writes in it see as it was."""
    return _DECODER.decode(wire)


def _meant(bound: Sequence[Bound], request: WriteRequest) -> Meant:
    found = tuple(each for each in bound if _is_meant(each, request))
    plain = tuple(dict.fromkeys(each.policy for each in found if is_plain(each.policy)))
    return Meant(found, plain, tuple(each for each in found if each.policy not in plain))


def _is_meant(bound: Bound, request: WriteRequest) -> bool:
    constraints, resources = bound.policy.spec.match_constraints, bound.binding.spec.match_resources
    return (
        constraints is not None
        and fits(constraints, request)
        and (resources is None or fits(resources, request, without_rules=True))
    )


def _matches(bound: Bound) -> Iterator[MatchResources]:
    """Where a policy holds, by itself and by its binding."""
    for match in (bound.policy.spec.match_constraints, bound.binding.spec.match_resources):
        if match is not None:
            yield match


def _names_objects(match: MatchResources) -> bool:
    """Whether it depends on the name of an object whether it is meant."""
    rules = (*(match.resource_rules or ()), *(match.exclude_resource_rules or ()))
    return any(rule.resource_names for rule in rules)


def _selects(selector: LabelSelector | None) -> bool:
    """Whether a selector leaves anything out."""
    return selector is not None and bool(selector.match_labels or selector.match_expressions)
