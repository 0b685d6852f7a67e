"""The collaborators of the verbs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from app.cluster.authorizer import Authorizer
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import KubeObject
from app.domain.errors import Cause, Forbidden, ServiceUnavailable
from app.domain.pools.stock import Stock
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror
from app.registry.admission import Admission
from app.registry.forms import Forms
from app.registry.options import ListOptions, Page
from app.registry.outcomes import invalid_object, quota_exceeded
from app.registry.quota_forecast import QuotaForecast
from app.registry.target import Target
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import Write

_OWN_SECONDS = 1.0
"""So long a read that may show the past waits for what its own process has written."""


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


class Guard(Protocol):
    """A rule of a kind that only the claims can answer: whether an object may be deleted."""

    async def __call__(self, obj: Any, /) -> str:
        """Why it may not, in words; "" if it may."""


class Archive(Protocol):
    """The objects of a kind that are read from a table of their own."""

    async def get(self, name: str, revision: int, /) -> Entry | None:
        """One object, shown at a revision; None if there is none."""

    async def list(self, options: ListOptions, revision: int, /) -> Page:
        """A page of objects, shown at a revision."""


class Computed(Protocol):
    """What a subresource shows of an object, computed for each request."""

    async def __call__(self, obj: Any, /) -> KubeObject:
        """The answer, of the kind that the subresource carries."""


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
        guards: For deletions, by kind key: what is asked of the claims before an object is marked or removed.
        archives: By kind key: reads the objects of kinds that are not in the mirror.
        computed: By kind key and name: the subresources that are computed from an object.
        quotas: Tells of a dry run whether quotas would allow it.
        forms: Turns objects from the form they are served in to the form they are stored in.
        authorizer: Decides who may do what.
        admission: What every write has to pass.
        stocks: By kind key: what new objects get at once.
    """

    kinds: Kinds
    writer: Writer
    reader: Reader
    mirror: Mirror
    cluster: Callable[[], Cluster]
    allocation_wait: float
    previews: Mapping[str, Preview]
    questions: Mapping[str, Question]
    guards: Mapping[str, Guard]
    archives: Mapping[str, Archive]
    computed: Mapping[tuple[str, str], Computed]
    quotas: QuotaForecast
    forms: Forms
    authorizer: Authorizer
    admission: Admission
    stocks: Mapping[str, Stock]

    async def current(self, target: Target) -> Entry | None:
        """The object as of now, whichever process wrote it last."""
        await self.mirror.fresh()
        return self.known(target)

    async def reach_own(self) -> None:
        """Have the mirror show what this process has written itself, as far as the database can be reached."""
        newest = self.writer.newest
        if self.mirror.revision < newest:
            with suppress(ServiceUnavailable):
                await self.mirror.at_least(newest, _OWN_SECONDS)

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

    async def ask_to_delete(self, kind: Kind[Any], obj: Any) -> None:
        """Ask the claims whether an object may be deleted that is not being deleted yet.

        Raises:
            Forbidden: It may not.
            ServiceUnavailable: The database cannot be reached.
        """
        guard = self.guards.get(kind.key)
        why = "" if guard is None or obj.metadata.deletion_timestamp is not None else await guard(obj)
        if why:
            name = obj.metadata.name
            message = f'{kind.key} "{name}" is forbidden: {why}'
            raise Forbidden(message, group=kind.group, kind=kind.plural, name=name)

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

    async def forecast(self, kind: Kind[Any], write: Write, old: Any) -> None:
        """For a dry run: check that the quotas of the namespace would allow a write.

        Args:
            kind: Of the object.
            write: As it would be stored.
            old: The object as it is; None for a new one.

        Raises:
            Forbidden: They would not.
        """
        before = {} if old is None else kind.strategy.charges(old, self.cluster())
        (exceeded,) = await self.quotas.exceeded([(write, before)])
        if exceeded is not None:
            raise quota_exceeded(kind, write.namespace, write.name, exceeded)


def entry_from_object(kind: Kind[Any], obj: KubeObject, revision: int, body: bytes | None = None) -> Entry:
    """The entry of an object that was just written; for one that a dry run did not write, `revision` is 0."""
    meta = obj.metadata
    body = encode_body(obj) if body is None else body
    wire = wire_bytes(body, revision) if revision else body
    return Entry(kind.key, meta.namespace or "", meta.name, meta.uid or "", revision, wire)
