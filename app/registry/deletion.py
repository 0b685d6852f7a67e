"""The verbs delete and deletecollection."""

import asyncio
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import encode_body
from app.domain.errors import Forbidden
from app.domain.rules.deletion import goes_at_once, is_released, mark_deleted
from app.mirror.entry import Entry
from app.registry.consequences import Consequences
from app.registry.context import Context, entry_from_object
from app.registry.operations import Operation
from app.registry.options import Answer, DeleteOptions, ListOptions, Page
from app.registry.outcomes import conflict, other_object, refusal
from app.registry.publication import existing
from app.registry.reading import Reading
from app.registry.target import Target
from app.store.writes import Action, Committed, Missing, Stale

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
        while True:
            entry = await existing(self._context, target)
            _check_preconditions(kind, entry, options)
            answer = await self._attempt(target, entry, options)
            if answer is not None:
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

    async def _attempt(self, target: Target, entry: Entry, options: DeleteOptions) -> Answer | None:
        """Try to delete one state of the object; None if the object changed meanwhile."""
        kind = target.kind
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
        if write.body == before and not gone:
            return Answer(held, self._context.forms.shown(kind, entry), warnings=tuple(operation.warnings))
        if options.dry_run:
            told = self._consequences.of(kind, obj, None) if gone else ()
            shown, warnings = entry_from_object(kind, obj, entry.revision, body), tuple(operation.warnings)
            return Answer(code, shown, deleted=gone, warnings=warnings, preview=told)
        outcome = await self._context.writer.write(write)
        if isinstance(outcome, Committed):
            warnings = tuple(operation.warnings)
            shown = entry_from_object(kind, obj, outcome.revision or 0, body)
            return Answer(code, shown, deleted=gone, warnings=warnings)
        if isinstance(outcome, Stale | Missing):
            return None
        raise refusal(kind, entry.namespace, entry.name, outcome)


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
