"""The verbs update and patch, for objects and their subresources."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from app.domain.declarations.kind import Kind
from app.domain.documents.decoding import to_document
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import KubeObject
from app.domain.errors import AlreadyExists, ApiError, BadRequest, Cause, ServiceUnavailable, invalid
from app.domain.patching.managed_fields import record_update
from app.domain.patching.prepared import Patch
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import is_released
from app.domain.rules.metadata import validate_metadata_update
from app.mirror.entry import Entry
from app.registry.consequences import Consequences
from app.registry.context import Context, entry_from_object
from app.registry.creation import Creation
from app.registry.operations import Operation
from app.registry.options import Answer, WriteOptions
from app.registry.outcomes import MODIFIED, conflict, invalid_object, other_object, refusal
from app.registry.publication import existing, written
from app.registry.target import Target
from app.store.writes import Action, Committed, Missing, Outcome, Stale
from app.telemetry import tracing

_CONTENTION_SECONDS = 10.0
"""Seconds in which a write without a resourceVersion is tried again, each time that another write came first."""


class Updating:
    """The verbs update and patch."""

    def __init__(self, context: Context, creation: Creation, consequences: Consequences) -> None:
        self._context = context
        self._consequences = consequences
        self._creation = creation
        self._turns: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()

    async def update(self, target: Target, obj: Any, options: WriteOptions) -> Answer:
        """Replace an object, or create it where the kind allows that.

        Raises:
            ApiError: The object is refused; nothing was stored.
        """
        _check_request(target, obj)

        async def attempt() -> Answer | None:
            copy = _copy(target.kind, obj)
            entry = await self._found(target, creates=target.kind.create_on_update)
            if entry is None:
                return await self._create(target, copy, options)
            return await self._attempt(target, entry, copy, options)

        return await self._until_settled(target, attempt)

    async def patch(self, target: Target, patch: Patch, options: WriteOptions) -> Answer:
        """Apply a patch to the object as it is now, and again if the object changes meanwhile.

        A patch that sets metadata.resourceVersion is refused unless the object is at that revision.

        Raises:
            ApiError: The patch or its result is refused; nothing was stored.
        """

        async def attempt() -> Answer | None:
            entry = await self._found(target, creates=patch.creates)
            before = {} if entry is None else to_document(self._context.forms.decoded(target.kind, entry))
            obj, warnings = await _patched(patch, before)
            told = replace(options, warnings=(*options.warnings, *warnings))
            try:
                _check_request(target, obj)
                if entry is None:
                    return await self._create(target, obj, told, recorded=patch.operation == "Apply")
                return await self._attempt(target, entry, obj, told, patch=patch)
            except ApiError as error:
                error.warnings = tuple(warnings)
                raise

        return await self._until_settled(target, attempt)

    async def _found(self, target: Target, *, creates: bool) -> Entry | None:
        """The object as of now; None if it is not there and the request creates it.

        A create waits itself for an object that has the name and is not published yet.

        Raises:
            ApiError: The object is not there, and the request does not create it.
        """
        if creates and not target.subresource:
            return await self._context.current(target)
        return await existing(self._context, target)

    async def _until_settled(self, target: Target, attempt: Callable[[], Awaitable[Answer | None]]) -> Answer:
        """Try once. If another write came first, wait for the other requests of this process, and try again."""
        answer = await attempt()
        if answer is not None:
            return answer
        clock = asyncio.get_running_loop().time
        until = clock() + _CONTENTION_SECONDS
        async with self._turns.setdefault((target.kind.key, target.scope, target.name), asyncio.Lock()):
            while clock() < until:
                answer = await attempt()
                if answer is not None:
                    return answer
        raise _contended(target)

    async def _create(
        self, target: Target, obj: Any, options: WriteOptions, *, recorded: bool = False
    ) -> Answer | None:
        """Create the object that is not there to be updated; None if another request creates it first.

        A client that sends a uid or a resourceVersion means an object that is there, so nothing is created for it.

        Raises:
            Forbidden: The user may change objects and may not create them.
            ApiError: The object is refused; nothing was stored.
        """
        meta, kind = obj.metadata, target.kind
        self._context.authorizer.check(options.user, target.request("create"))
        if meta.uid:
            raise other_object(kind, meta.name, meta.uid)
        if meta.resource_version not in (None, "", "0"):
            raise conflict(kind, meta.name, f"there is no object with the resourceVersion {meta.resource_version}")
        meta.resource_version = None
        try:
            return await self._creation.create(target, obj, options, recorded=recorded)
        except AlreadyExists:
            return None

    async def _attempt(
        self, target: Target, entry: Entry, new: Any, options: WriteOptions, *, patch: Patch | None = None
    ) -> Answer | None:
        """Try to change one state of the object; None if it changed meanwhile and the client asked for no revision."""
        # A patched object has the revision that it was made from. Only in a whole object does a client ask for one.
        retry = patch is not None or new.metadata.resource_version in (None, "", "0")
        recorded = patch is not None and patch.operation == "Apply"
        kind = target.kind
        # In a whole object the uid says which object is meant. In a patch it is a change, which the rules refuse.
        if patch is None and new.metadata.uid and new.metadata.uid != entry.uid:
            raise other_object(kind, entry.name, new.metadata.uid, entry.uid)
        old = self._context.forms.decoded(kind, entry)
        warnings = self.apply_rules(target, entry, new, old, options, recorded=recorded)
        body = encode_body(new)
        if body == encode_body(old):
            return Answer(200, self._context.forms.shown(kind, entry), warnings=warnings)
        if not target.subresource:
            await self._context.ask(kind, new, old)
        if options.dry_run:
            write = self._context.forms.write(kind, "update", new, body, self._context.cluster())
            await self._context.forecast(kind, write, old)
            await self._context.preview(kind, new, created=False)
            told = self._consequences.of(kind, old, new)
            return Answer(200, entry_from_object(kind, new, entry.revision), warnings=warnings, preview=told)
        return await self._store(kind, entry, new, body, options, warnings, retry=retry)

    def apply_rules(
        self, target: Target, entry: Entry, new: Any, old: Any, options: WriteOptions, *, recorded: bool
    ) -> tuple[str, ...]:
        """Turn a changed object into what is stored, in place; answers the texts of warnings.

        Raises:
            Conflict: The client asks for another revision than that of `entry`.
            Invalid: It breaks rules.
            Forbidden: The user may not store it.
        """
        kind, subresource = target.kind, target.subresource
        _check_preconditions(kind, entry, new)
        cluster = self._context.cluster()
        named = new.metadata.resource_version not in (None, "", "0")
        if not (kind.unconditional_update or subresource or recorded or named):
            cause = invalid("metadata.resourceVersion", "", "must be specified for an update of this kind")
            error = invalid_object(kind, old.metadata.name, [cause])
            error.kind = kind.plural  # Kubernetes names the resource here, where it names the kind for all other causes
            raise error
        _carry_metadata(kind, new, old)
        kind.strategy.default(new)
        if not recorded:
            record_update(kind, old, new, options.field_manager, cluster.now, subresource)
        prepare, validate = _hooks(target)
        prepare(new, old, cluster)
        operation = Operation(
            "update", target, options.user, new, old, options.dry_run, entry.revision, options.annotations
        )
        self._context.admission.check("before validation", operation)
        causes = [] if subresource else kind.strategy.unavailable(new, old, cluster)
        causes = causes or [*validate_metadata_update(kind, new.metadata, old.metadata), *validate(new, old, cluster)]
        if causes:
            raise invalid_object(kind, old.metadata.name, causes)
        self._context.admission.check("before storage", operation)
        status = subresource == "status"
        told = kind.strategy.status_warnings(new, old) if status else kind.strategy.warnings(new, old, cluster)
        return (*options.warnings, *operation.warnings, *told)

    async def _store(
        self,
        kind: Kind[Any],
        entry: Entry,
        new: Any,
        body: bytes,
        options: WriteOptions,
        warnings: tuple[str, ...],
        *,
        retry: bool,
    ) -> Answer | None:
        cluster = self._context.cluster()
        action: Action = "delete" if is_released(kind, new) else "update"
        write = self._context.forms.write(kind, action, new, body, cluster, expected=entry.revision)
        outcome = await written(self._context, Target(kind, write.namespace, write.name), write)
        if isinstance(outcome, Committed):
            entry = entry_from_object(kind, new, outcome.revision or 0)
            if kind.strategy.untried(new, cluster) and not options.respond_async:
                wait = self._context.allocation_wait
                with tracing.span("wait for the allocation"):
                    entry = await self._context.mirror.wait_for(entry.uid, wait, after=entry.revision) or entry
            applied = write.pending and options.respond_async
            return Answer(200, entry, warnings=warnings, preference_applied=applied)
        if retry and isinstance(outcome, Stale | Missing):
            return None
        raise refusal(kind, write.namespace, write.name, _as_seen(outcome))


async def _patched(patch: Patch, before: dict[str, Any]) -> tuple[Any, list[str]]:
    """The object that a patch makes of a document, and the texts of warnings. A large patch is applied in a thread."""
    if patch.is_large:
        return await asyncio.to_thread(lambda: patch.decode(patch.apply(before)))
    return patch.decode(patch.apply(before))


def _hooks(
    target: Target,
) -> tuple[Callable[[Any, Any, Cluster], None], Callable[[Any, Any, Cluster], list[Cause]]]:
    """The rules for a write: those of the object, of its status, or of another subresource that the kind declares."""
    strategy, subresource = target.kind.strategy, target.subresource
    if not subresource:
        return strategy.prepare_update, strategy.validate_update
    if subresource == "status":
        return strategy.prepare_status, strategy.validate_status
    declared = next(each for each in target.kind.subresources if each.name == subresource)
    return declared.prepare, declared.validate


def _check_request(target: Target, obj: KubeObject) -> None:
    meta, name, namespace = obj.metadata, target.name, target.scope
    if meta.name != name:
        raise BadRequest(f"the name of the object ({meta.name}) does not match the name on the URL ({name})")
    if meta.namespace and meta.namespace != namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request: "
            f"{meta.namespace} is not {namespace}"
        )


def _check_preconditions(kind: Kind[Any], entry: Entry, new: KubeObject) -> None:
    meta = new.metadata
    if meta.resource_version and not meta.resource_version.isdecimal():
        cause = invalid(
            "metadata.resourceVersion", meta.resource_version, "must be a decimal number, as the server gave it"
        )
        raise invalid_object(kind, entry.name, [cause])
    if meta.resource_version and meta.resource_version not in ("0", str(entry.revision)):
        raise conflict(kind, entry.name, MODIFIED)


def _carry_metadata(kind: Kind[Any], new: KubeObject, old: KubeObject) -> None:
    """Keep what no update can change (rest.BeforeUpdate)."""
    new.api_version, new.kind = kind.api_version, kind.name
    to, kept = new.metadata, old.metadata
    to.namespace, to.uid = kept.namespace, to.uid or kept.uid
    to.generate_name = to.generate_name or kept.generate_name
    to.creation_timestamp = kept.creation_timestamp
    to.deletion_timestamp = kept.deletion_timestamp or to.deletion_timestamp
    if to.deletion_grace_period_seconds is None:
        to.deletion_grace_period_seconds = kept.deletion_grace_period_seconds
    to.generation, to.self_link, to.resource_version = kept.generation, None, None


def _copy(kind: Kind[Any], obj: Any) -> Any:
    """A copy for one attempt: the rules change it, and the next attempt needs the original."""
    copy = decode_object(kind, encode_body(obj))
    copy.metadata.resource_version = obj.metadata.resource_version
    return copy


def _as_seen(outcome: Outcome) -> Outcome:
    """To a client that asks for a revision, an object that is gone or replaced is a conflict."""
    return Stale(None) if isinstance(outcome, Missing) else outcome


def _contended(target: Target) -> ServiceUnavailable:
    return ServiceUnavailable(
        f'others change {target.kind.plural} "{target.name}" faster than this request can be applied; try again',
        retry_after=1,
    )
