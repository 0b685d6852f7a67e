"""The verbs delete and deletecollection."""

import asyncio
from dataclasses import dataclass
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import encode_body
from app.domain.errors import Forbidden
from app.domain.rules.deletion import goes_at_once, is_released, mark_deleted
from app.mirror.entry import Entry
from app.registry.consequences import Consequences
from app.registry.context import Context, OutdatedError, entry_from_object
from app.registry.operations import Operation
from app.registry.options import Answer, DeleteOptions, ListOptions, Page
from app.registry.outcomes import conflict, other_object, refusal
from app.registry.publication import existing
from app.registry.reading import Reading
from app.registry.target import Target
from app.store.writes import Action, Committed, Missing, Stale, Write

_DELETIONS_AT_ONCE = 256
"""Objects of a collection that are deleted at the same time, so that one commit serves many."""

_PROTECTED_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})


class Deletion:
    """The verbs delete and deletecollection.

    An object with finalizers is only marked as being deleted. It keeps its claims until its last finalizer is removed.
    """

    def __init__(self, context: Context, reading: Reading, consequences: Consequences) -> None:
        self._context = context
        self._consequences = consequences
        self._reading = reading

    async def delete(self, target: Target, options: DeleteOptions) -> Answer:
        """Delete one object, or mark it for deletion.

        Raises:
            ApiError: It is not there, a precondition does not hold, or it may not be deleted.
        """
        kind, name = target.kind, target.name
        if kind.key == NAMESPACE.key and name in _PROTECTED_NAMESPACES:
            raise Forbidden(
                f'namespaces "{name}" is forbidden: this namespace may not be deleted', kind=kind.plural, name=name
            )
        answer = await self._at_once(target, options)
        while answer is None:
            entry = await existing(self._context, target)
            answer = await self._attempt(target, entry, options)
        return answer

    async def delete_collection(self, target: Target, selected: ListOptions, options: DeleteOptions) -> Page:
        """Delete all objects that the selectors choose; answers them as they were.

        Raises:
            ApiError: The selectors or options are refused.
        """
        page = await self._reading.list(target, selected)
        for entry in page.entries:
            _check_preconditions(target.kind, entry, options)
        for start in range(0, len(page.entries), _DELETIONS_AT_ONCE):
            together = page.entries[start : start + _DELETIONS_AT_ONCE]
            ends = await asyncio.gather(
                *(self._delete_listed(target, entry, options) for entry in together), return_exceptions=True
            )
            for end in ends:
                if end is not None:
                    raise end
        return page

    async def _delete_listed(self, target: Target, listed: Entry, options: DeleteOptions) -> None:
        """Delete an object of a list, even if it changed since, but not another object of the same name."""
        stored = self._context.forms.stored(target.kind).key
        while True:
            current = self._context.mirror.get(stored, listed.namespace, listed.name)
            if current is None or current.uid != listed.uid:
                return
            if await self._attempt(target, current, options) is not None:
                return
            await self._context.mirror.fresh()

    async def _at_once(self, target: Target, options: DeleteOptions) -> Answer | None:
        """Remove the object that this process knows; None if that is not the present one, or is not removed.

        The write says whether it is: nothing needs to be asked before.

        Raises:
            ApiError: The present object may not be deleted.
        """
        entry = None if options.dry_run else self._context.known(target)
        if entry is None:
            return None
        try:
            async with self._context.as_known():
                deleted = await self._prepared(target, entry, options)
        except OutdatedError:
            return None
        return await self._store(deleted) if deleted.gone else None

    async def _attempt(self, target: Target, entry: Entry, options: DeleteOptions) -> Answer | None:
        """Try to delete one state of the object; None if the object changed meanwhile."""
        deleted = await self._prepared(target, entry, options)
        if deleted.write.body == deleted.before and not deleted.gone:
            return Answer(deleted.code, self._context.forms.shown(target.kind, entry), warnings=deleted.warnings)
        if options.dry_run:
            told = self._consequences.of(target.kind, deleted.obj, None) if deleted.gone else ()
            return deleted.answer(entry.revision, told)
        return await self._store(deleted)

    async def _prepared(self, target: Target, entry: Entry, options: DeleteOptions) -> "_Deleted":
        """What becomes of one state of the object.

        Raises:
            ApiError: It may not be deleted.
        """
        kind = target.kind
        _check_preconditions(kind, entry, options)
        obj = self._context.forms.decoded(kind, entry)
        operation = Operation(
            "delete", target, options.user, None, obj, options.dry_run, entry.revision, options.annotations
        )
        self._context.admission.check("before storage", operation)
        before, held = encode_body(obj), 202 if options.tells_held else 200
        await self._context.ask_to_delete(kind, obj)
        cluster = self._context.cluster()
        gone = goes_at_once(kind, obj, options.propagation)
        if not gone:
            mark_deleted(kind, obj, cluster, options.propagation)
            gone = is_released(kind, obj)
            # An object that goes never shows a deletionTimestamp: the answer and the log have it as it was.
            obj = self._context.forms.decoded(kind, entry) if gone else obj
        code, body = (200, before) if gone else (held, encode_body(obj))
        action: Action = "delete" if gone else "update"
        write = self._context.forms.write(kind, action, obj, body, cluster, expected=entry.revision)
        return _Deleted(kind, obj, before, body, write, code, gone, tuple(operation.warnings))

    async def _store(self, deleted: "_Deleted") -> Answer | None:
        """Store what becomes of the object; None if it changed meanwhile."""
        outcome = await self._context.writer.write(deleted.write)
        if isinstance(outcome, Committed):
            return deleted.answer(outcome.revision or 0)
        if isinstance(outcome, Stale | Missing):
            return None
        raise refusal(deleted.kind, deleted.write.namespace, deleted.write.name, outcome)


@dataclass(frozen=True, slots=True)
class _Deleted:
    """What becomes of an object that is deleted: it goes, or is marked.

    Attributes:
        kind: Of the object.
        obj: Its last state, or the marked one.
        before: The state that is deleted, encoded.
        body: `obj`, encoded.
        write: What has to be stored.
        code: Status of the answer.
        gone: Whether it goes.
        warnings: For the client.
    """

    kind: Kind[Any]
    obj: Any
    before: bytes
    body: bytes
    write: Write
    code: int
    gone: bool
    warnings: tuple[str, ...]

    def answer(self, revision: int, preview: tuple[str, ...] = ()) -> Answer:
        """The answer to the client, at the revision of the write."""
        shown = entry_from_object(self.kind, self.obj, revision, self.body)
        return Answer(self.code, shown, deleted=self.gone, warnings=self.warnings, preview=preview)


def _check_preconditions(kind: Kind[Any], entry: Entry, options: DeleteOptions) -> None:
    if options.uid is not None and options.uid != entry.uid:
        raise other_object(kind, entry.name, options.uid, entry.uid)
    if options.resource_version is not None and options.resource_version != str(entry.revision):
        raise conflict(
            kind,
            entry.name,
            f"Precondition failed: ResourceVersion in precondition: {options.resource_version}, "
            f"ResourceVersion in object meta: {entry.revision}",
        )
