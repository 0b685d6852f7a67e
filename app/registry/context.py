"""The collaborators of the verbs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import KubeObject
from app.domain.errors import Cause
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror
from app.registry.forms import Forms
from app.registry.outcomes import invalid_object
from app.registry.target import Target
from app.store.reader import Reader
from app.store.writer import Writer


class Preview(Protocol):
    """Fills in what the reconciler would allocate, in place."""

    async def __call__(self, obj: Any, cluster: Cluster, /, *, created: bool) -> None:
        """Change `obj`; `created` tells a new object from a changed one."""

    async def many(self, objects: Sequence[tuple[Any, bool]], cluster: Cluster, /) -> list[str]:
        """Change several, each with whether it is new; answers in words what the pools lack."""


class Question(Protocol):
    """A rule of a kind that only the claims can answer."""

    async def __call__(self, new: Any, old: Any, /) -> list[Cause]:
        """Name what is wrong with an update."""


@dataclass(frozen=True, slots=True)
class Context:
    """The collaborators of the verbs; there is one in a process.

    Attributes:
        kinds: All kinds served.
        writer: The one write path.
        reader: Reads what the mirror does not hold.
        mirror: The objects in memory.
        cluster: Answers what the rules may know of the cluster, as of now.
        allocation_wait: Seconds that a write waits for its allocation. After that, the answer is a pending object.
        previews: By kind key: fill in a tentative allocation for a dry run, and claim nothing.
        questions: For updates, by kind key: what is asked of the claims once all other rules are kept.
        forms: Turns objects from the form they are served in to the form they are stored in.
    """

    kinds: Kinds
    writer: Writer
    reader: Reader
    mirror: Mirror
    cluster: Callable[[], Cluster]
    allocation_wait: float
    previews: Mapping[str, Preview]
    questions: Mapping[str, Question]
    forms: Forms

    async def current(self, target: Target) -> Entry | None:
        """The object as of now, whichever process wrote it last."""
        await self.mirror.fresh()
        return self.known(target)

    def known(self, target: Target) -> Entry | None:
        """The object as far as this process knows."""
        return self.mirror.get(self.forms.stored(target.kind).key, target.scope, target.name)

    async def ask(self, kind: Kind[Any], new: Any, old: Any) -> None:
        """Ask of the claims what the rules cannot tell about an update.

        Raises:
            Invalid: The update breaks a rule.
            ServiceUnavailable: The database cannot be reached.
        """
        question = self.questions.get(kind.key)
        causes = [] if question is None else await question(new, old)
        if causes:
            raise invalid_object(kind, old.metadata.name, causes)

    async def holder(self, claim: Claim) -> Target | None:
        """What holds a claim, as the database says; None if nothing does. The object may not be published yet.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        holder = (await self.reader.claim_holders(claim.table, [claim.key])).get(claim.key)
        return None if holder is None else Target(self.kinds.by_key[holder.kind], holder.namespace, holder.name)

    async def preview(self, kind: Kind[Any], obj: Any, *, created: bool) -> None:
        """For a dry run: fill in what would be allocated."""
        preview = self.previews.get(kind.key)
        if preview is not None:
            await preview(obj, self.cluster(), created=created)


def entry_from_object(kind: Kind[Any], obj: KubeObject, revision: int, body: bytes | None = None) -> Entry:
    """The entry of an object that was just written; for one that a dry run did not write, `revision` is 0."""
    meta = obj.metadata
    body = encode_body(obj) if body is None else body
    wire = wire_bytes(body, revision) if revision else body
    return Entry(kind.key, meta.namespace or "", meta.name, meta.uid or "", revision, wire)
