"""One object that is about to be written, as checks of admission see it."""

from dataclasses import dataclass, field
from typing import Literal

from app.domain.documents.objects import KubeObject
from app.domain.user import User
from app.registry.target import Target

Verb = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One object that is about to be written.

    Attributes:
        verb: What becomes of the object. Whatever method the client used, a patch that makes an object is a create.
        target: What the client named: the object or collection, and the subresource through which it is written.
        user: Who writes it.
        new: As it would be stored; None for a deletion.
        old: As it is stored; None for a create.
        dry_run: Whether nothing will be stored.
        revision: Of what is stored; 0 for a create.
        annotations: What the audit event tells besides. Checks add to it.
        warnings: Texts for Warning headers. Checks add to them.
    """

    verb: Verb
    target: Target
    user: User
    new: KubeObject | None
    old: KubeObject | None
    dry_run: bool = False
    revision: int = 0
    annotations: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
