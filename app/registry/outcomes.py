"""Errors for clients, made from what became of a write."""

from typing import Any

from app.domain.declarations.kind import Derivation, Kind
from app.domain.errors import (
    AlreadyExists,
    ApiError,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    causes_text,
    invalid,
    shortened,
)
from app.domain.rules.claim import Claim
from app.store.exceeded_quotas import refusal as quota_refusal
from app.store.held_claims import refusal as held_refusal
from app.store.writes import (
    ClaimHeld,
    Missing,
    NamespaceMissing,
    NamespaceNotEmpty,
    NamespaceTerminating,
    NameTaken,
    Outcome,
    QuotaExceeded,
    Stale,
)

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def not_found(kind: Kind[Any], name: str) -> NotFound:
    """No such object."""
    return NotFound(f'{_resource(kind)} "{name}" not found', group=kind.group, kind=kind.plural, name=name)


def already_exists(kind: Kind[Any], name: str, *, deleting: bool = False) -> AlreadyExists:
    """An object has the name.

    Args:
        kind: Of the object.
        name: Of the object.
        deleting: Whether the object is being deleted. A client may wait then, and create its own when it is gone.
    """
    prefix = "object is being deleted: " if deleting else ""
    message = f'{prefix}{_resource(kind)} "{name}" already exists'
    return AlreadyExists(message, group=kind.group, kind=kind.plural, name=name)


def conflict(kind: Kind[Any], name: str, why: str) -> Conflict:
    """The object is not what the client thinks."""
    message = f'Operation cannot be fulfilled on {_resource(kind)} "{name}": {why}'
    return Conflict(message, group=kind.group, kind=kind.plural, name=name)


def other_object(kind: Kind[Any], name: str, uid: str, found: str = "") -> Conflict:
    """The client means another object of the same name: one with `uid`, not with `found` ("" if there is none)."""
    told = f"UID in precondition: {uid}, UID in object meta: {found}"
    return conflict(kind, name, f"StorageError: invalid object, Code: 4: Precondition failed: {told}")


def invalid_object(kind: Kind[Any], name: str, causes: list[Cause]) -> Invalid:
    """The object breaks rules."""
    resource = f"{kind.name}.{kind.group}" if kind.group else kind.name
    message = f'{resource} "{shortened(name)}" is invalid: {causes_text(causes)}'
    return Invalid(message, group=kind.group, kind=kind.name, name=name, causes=causes)


def namespace_missing(namespace: str) -> NotFound:
    """Nothing can be created in a namespace that is not there."""
    return NotFound(f'namespaces "{namespace}" not found', kind="namespaces", name=namespace)


def namespace_terminating(kind: Kind[Any], namespace: str, name: str) -> Forbidden:
    """Nothing can be created in a namespace that is being deleted."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    return Forbidden(
        f'{_resource(kind)} "{name}" is forbidden: {why}',
        group=kind.group,
        kind=kind.plural,
        name=name,
        causes=[Cause("NamespaceTerminating", "metadata.namespace", f"namespace {namespace} is being terminated")],
    )


def quota_exceeded(kind: Kind[Any], namespace: str, name: str, exceeded: QuotaExceeded) -> Forbidden:
    """A quota of the namespace does not allow it."""
    message = f'{_resource(kind)} "{name}" is forbidden: {quota_refusal(exceeded, namespace)}'
    return Forbidden(message, group=kind.group, kind=kind.plural, name=name)


def refusal(kind: Kind[Any], namespace: str, name: str, outcome: Outcome) -> ApiError:  # noqa: PLR0911 - one a case
    """The error for a write that was refused, to be raised."""
    match outcome:
        case NameTaken():
            return already_exists(kind, name)
        case Stale():
            return conflict(kind, name, MODIFIED)
        case Missing():
            return not_found(kind, name)
        case NamespaceMissing():
            return namespace_missing(namespace)
        case NamespaceTerminating():
            return namespace_terminating(kind, namespace, name)
        case NamespaceNotEmpty():
            return conflict(kind, name, "the namespace still has objects in it")
        case ClaimHeld() if kind.derivation is not None and _is_name(kind.derivation, outcome.claim, name):
            return already_exists(kind, name)
        case QuotaExceeded():
            return quota_exceeded(kind, namespace, name, outcome)
        case ClaimHeld():
            return invalid_object(kind, name, [_claim_held(namespace, outcome)])
    return conflict(kind, name, "another process took over this work; try again")


def _is_name(derivation: Derivation[Any], claim: Claim, name: str) -> bool:
    """Whether the name of a computed object is a claim's key, so that whatever holds the claim has such an object."""
    named = derivation.claim(name)
    return named is not None and (named.table, named.key) == (claim.table, claim.key)


def _claim_held(namespace: str, held: ClaimHeld) -> Cause:
    value, problem = held_refusal(held, namespace)
    return invalid(held.claim.field, value, problem)


def _resource(kind: Kind[Any]) -> str:
    return kind.key
