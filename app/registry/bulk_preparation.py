"""Checks the items of a bulk apply and makes the writes that store them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.decoding import MAX_DEPTH, Strictness, decode_json, duplicate_fields, parse_json, warnings_of
from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import (
    MAX_CAUSES,
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    causes_text,
    duplicate,
    not_supported,
    required,
)
from app.domain.patching.apply import Applying, apply
from app.domain.patching.managed_fields import record_apply
from app.domain.patching.prepared import decode_applied
from app.domain.rules.deletion import is_released
from app.mirror.entry import Entry
from app.registry.context import Context, entry_from_object
from app.registry.creation import Creation
from app.registry.options import WriteOptions
from app.registry.target import Target
from app.registry.updating import Updating
from app.store.writes import Action, Write

_ITEMS_IN_A_ROW = 64
"""Items prepared before the event loop gets its turn."""

_CONFLICT, _FORBIDDEN = "FieldManagerConflict", "Forbidden"


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """The options of a bulk apply.

    Attributes:
        write: Field manager and dry run, as for other writes.
        strictness: What becomes of unknown and duplicate fields.
        force: Whether fields that others own are taken over.
        namespace: Of objects that name none.
    """

    write: WriteOptions
    strictness: Strictness
    force: bool = False
    namespace: str = "default"


@dataclass(frozen=True, slots=True)
class RawItem:
    """One object as the client sent it, as JSON, and the problems that were found when it was turned into JSON."""

    body: bytes
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class BulkResult:
    """What became of one object.

    Attributes:
        result: Whether it is new, changed, or as it was.
        entry: The object as it is stored now.
        warnings: Texts of warnings.
        preview: Of a dry run: what would become of the objects that are computed from this one.
    """

    result: Literal["created", "configured", "unchanged"]
    entry: Entry
    warnings: Sequence[str] = ()
    preview: Sequence[str] = ()


@dataclass(slots=True)
class PreparedItem:
    """One object as it will be, and the write that stores it; None if the object is like that already."""

    kind: Kind[Any]
    obj: Any
    result: BulkResult
    write: Write | None = None


class _Head(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta | None = None


class BulkPreparation:
    """Applies the rules to items, outside of the write lock."""

    def __init__(self, context: Context, creation: Creation, updating: Updating) -> None:
        self._context = context
        self._creation = creation
        self._updating = updating

    async def prepare(self, items: Sequence[RawItem], options: BulkOptions) -> list[PreparedItem]:
        """Prepare all items against what is stored now.

        Raises:
            ApiError: Something is wrong; causes name the items.
        """
        heads = [_head(index, item) for index, item in enumerate(items)]
        await self._authorize(heads, options)
        founded = frozenset(head.metadata.name for head in heads if head.kind == NAMESPACE.name and head.metadata)
        prepared: list[PreparedItem] = []
        causes: list[Cause] = []
        seen: set[tuple[str, str, str]] = set()
        for index, (head, item) in enumerate(zip(heads, items, strict=True)):
            if index % _ITEMS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            try:
                each = await self._prepare_one(self._target(head, options), item, options, founded)
                key = (each.kind.key, each.obj.metadata.namespace or "", each.obj.metadata.name)
                if key in seen:
                    causes.append(duplicate(f"items[{index}].metadata.name", key[2], "each object may come once"))
                seen.add(key)
                prepared.append(each)
            except ApiError as error:
                causes += located(index, error)
            if len(causes) >= MAX_CAUSES:
                break
        if causes:
            raise refused(causes)
        return prepared

    async def _authorize(self, heads: Sequence[_Head], options: BulkOptions) -> None:
        """Refuse the whole if the user may not apply one of the objects, before anything else is said of any.

        An apply is a patch, and a create if the object is not there (as in Kubernetes).
        """
        causes: list[Cause] = []
        for index, head in enumerate(heads):
            if index % _ITEMS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            try:
                target = self._target(head, options)
            except Invalid:
                continue  # what is wrong with it is told once all others are authorized
            verbs = ("patch",) if self._context.known(target) is not None else ("patch", "create")
            try:
                for verb in verbs:
                    self._context.authorizer.check(options.write.user, target.request(verb))
            except Forbidden as error:
                causes += located(index, error)
            if len(causes) >= MAX_CAUSES:
                break
        if causes:
            raise refused(causes)

    def _target(self, head: _Head, options: BulkOptions) -> Target:
        kind = self._kind_of(head)
        meta = head.metadata or ObjectMeta()
        if not meta.name:
            raise Invalid("", causes=[required("metadata.name", "an object that is applied has a name")])
        return Target(kind, (meta.namespace or options.namespace) if kind.namespaced else "", meta.name)

    def _kind_of(self, head: _Head) -> Kind[Any]:
        kind = self._context.kinds.by_kind(head.api_version, head.kind)
        if kind is None or not {"create", "patch"} <= set(kind.verbs):
            known = sorted(f"{each.api_version} {each.name}" for each in self._context.kinds if "create" in each.verbs)
            raise Invalid("", causes=[not_supported("kind", f"{head.api_version} {head.kind}", known)])
        return kind

    async def _prepare_one(
        self, target: Target, item: RawItem, options: BulkOptions, founded: frozenset[str]
    ) -> PreparedItem:
        entry = self._context.known(target)
        if entry is not None:
            return await self._changed(target, entry, item, options)
        if target.kind.namespaced and target.scope not in founded:
            self._creation.check_known_namespace(target)
        return self._created(target, item, options)

    def _created(self, target: Target, item: RawItem, options: BulkOptions) -> PreparedItem:
        kind = target.kind
        obj, warnings = decode_json(kind.model, item.body, strictness=options.strictness)
        warnings = [*warnings_of(item.problems, options.strictness), *warnings]
        if obj.metadata.managed_fields is not None:
            raise BadRequest("metadata.managedFields must be nil in what is applied: leave it out; the server keeps it")
        self._creation.check_request(target.scope, obj)
        if obj.metadata.name != target.name:
            # A field that comes twice may be read in two ways: what was authorized is what is stored.
            raise BadRequest("metadata.name must be given once")
        record_apply(kind, obj, options.write.field_manager, self._context.cluster().now)
        warnings += self._creation.apply_rules(target, obj, options.write, recorded=True)
        body = encode_body(obj)
        write = self._context.forms.write(kind, "create", obj, body, self._context.cluster())
        return PreparedItem(kind, obj, BulkResult("created", entry_from_object(kind, obj, 0, body), warnings), write)

    async def _changed(self, target: Target, entry: Entry, item: RawItem, options: BulkOptions) -> PreparedItem:
        kind = target.kind
        document, duplicates = parse_json(item.body)
        problems = [*item.problems, *duplicate_fields(duplicates)]
        warnings = warnings_of(problems, options.strictness)
        forms = self._context.forms
        old = forms.decoded(kind, entry)
        cluster = self._context.cluster()
        applying = Applying(options.write.field_manager, options.force, "", cluster.now)
        new = decode_applied(kind, apply(kind, msgspec.to_builtins(old), document, applying))
        warnings += self._updating.apply_rules(target, entry, new, old, options.write, recorded=True)
        body = encode_body(new)
        if body == encode_body(old):
            return PreparedItem(kind, new, BulkResult("unchanged", forms.shown(kind, entry), warnings))
        await self._context.ask(kind, new, old)
        action: Action = "delete" if is_released(kind, new) else "update"
        write = forms.write(kind, action, new, body, cluster, expected=entry.revision)
        shown = entry_from_object(kind, new, entry.revision, body)
        return PreparedItem(kind, new, BulkResult("configured", shown, warnings), write)


def _head(index: int, item: RawItem) -> _Head:
    try:
        return msgspec.json.decode(item.body, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"items[{index}] is not an object of the API: {error}") from error
    except RecursionError as error:
        raise BadRequest(f"items[{index}] is nested more than {MAX_DEPTH} levels deep") from error


def located(index: int, error: ApiError) -> list[Cause]:
    """An item's error as causes that name the item."""
    where = f"items[{index}]"
    if not error.causes:
        reason = _FORBIDDEN if isinstance(error, Forbidden) else "FieldValueInvalid"
        return [Cause(reason, where, error.message)]
    return [Cause(cause.reason, f"{where}.{cause.field.removeprefix('.')}", cause.message) for cause in error.causes]


def refused(causes: Sequence[Cause]) -> ApiError:
    """The error for a bulk apply whose items cannot be stored.

    It is Forbidden or Conflict if every cause is, else Invalid.
    """
    reasons = {cause.reason for cause in causes}
    error = Conflict if reasons == {_CONFLICT} else Forbidden if reasons == {_FORBIDDEN} else Invalid
    return error(f"nothing was stored: {causes_text(causes, 3)}", causes=causes)
