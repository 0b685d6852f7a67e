"""The verb create: rules, one write, and the wait for the reconciler's allocation."""

import secrets
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import KubeObject
from app.domain.documents.peeking import is_deleting
from app.domain.errors import AlreadyExists, ApiError, BadRequest, ServiceUnavailable, Timeout, TooManyRequests
from app.domain.patching.managed_fields import record_update
from app.domain.pools.stock import Stock
from app.domain.rules.cluster import Cluster
from app.domain.rules.metadata import validate_metadata
from app.domain.rules.names import generated_name
from app.registry.consequences import Consequences
from app.registry.context import Context, entry_from_object
from app.registry.operations import Operation
from app.registry.options import Answer, WriteOptions
from app.registry.outcomes import (
    already_exists,
    invalid_object,
    namespace_missing,
    namespace_terminating,
    refusal,
)
from app.registry.publication import awaited, published, written
from app.registry.target import Target
from app.store.writes import ClaimHeld, Committed, NameTaken, Outcome, Write
from app.telemetry.metrics import ALLOCATED_AT_ONCE
from app.uids import new_uid

_GENERATE_NAME_TRIES = 8


class Creation:
    """The verb create.

    A Service that needs an allocation is stored unpublished. The reconciler allocates and publishes it, and the answer
    shows the result. If that takes longer than `allocation_wait`, the Service is published pending.
    """

    def __init__(self, context: Context, consequences: Consequences) -> None:
        self._context = context
        self._consequences = consequences

    async def create(self, target: Target, obj: Any, options: WriteOptions, *, recorded: bool = False) -> Answer:
        """Store a new object.

        Args:
            target: Its kind, and the namespace of the request.
            obj: As the client sent it; changed in place.
            options: Of the request.
            recorded: Whether managedFields have the owners of the fields already (server-side apply).

        Raises:
            ApiError: The object is refused; nothing was stored.
        """
        kind, namespace = target.kind, target.scope
        self.check_request(namespace, obj)
        if kind.namespaced:
            await self._check_namespace(target.named(obj.metadata.name))
        if kind.strategy.asks_of_cluster(obj):
            await self._context.mirror.fresh()
        base = obj.metadata.generate_name if not obj.metadata.name else None
        for attempt in range(_GENERATE_NAME_TRIES if base else 1):
            if base:
                obj.metadata.name = generated_name(base, secrets.choice)
            warnings = self.apply_rules(target, obj, options, recorded=recorded)
            try:
                return await self._store(kind, obj, options, warnings, made_up=bool(base))
            except AlreadyExists as error:
                if not base or attempt == _GENERATE_NAME_TRIES - 1:
                    error.warnings = warnings[len(options.warnings) :]  # the first ones are the body's, told anyway
                    raise
        raise already_exists(kind, obj.metadata.name)

    def check_request(self, namespace: str, obj: KubeObject) -> None:
        """Check that an object may be created where the request says.

        Raises:
            BadRequest: It may not.
        """
        meta = obj.metadata
        if meta.namespace and meta.namespace != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request: "
                f"{meta.namespace} is not {namespace}"
            )
        if meta.resource_version:
            raise BadRequest(
                "resourceVersion should not be set on objects to be created: leave metadata.resourceVersion out"
            )

    async def _check_namespace(self, target: Target) -> None:
        entry = self._context.mirror.get(NAMESPACE.key, "", target.scope)
        if entry is None or is_deleting(entry.wire):
            await self._context.mirror.fresh()
        self.check_known_namespace(target)

    def check_known_namespace(self, target: Target) -> None:
        """Check, as far as this process knows, that objects may be created in a namespace.

        Raises:
            NotFound: It is not there.
            Forbidden: It is being deleted.
        """
        entry = self._context.mirror.get(NAMESPACE.key, "", target.scope)
        if entry is None:
            raise namespace_missing(target.scope)
        if is_deleting(entry.wire):
            raise namespace_terminating(target.kind, target.scope, target.name)

    def apply_rules(self, target: Target, obj: Any, options: WriteOptions, *, recorded: bool) -> tuple[str, ...]:
        """Turn a new object into what is stored, in place; answers the texts of warnings.

        Raises:
            Invalid: It breaks rules.
            Forbidden: The user may not store it.
        """
        kind, cluster = target.kind, self._context.cluster()
        _fill_metadata(target, obj, cluster)
        kind.strategy.default(obj)
        # The client owns what it sent and the defaults of that, not what the rules change afterwards.
        if not recorded:
            record_update(kind, None, obj, options.field_manager, cluster.now)
        kind.strategy.prepare_create(obj, cluster)
        operation = Operation(
            "create", target, options.user, obj, None, options.dry_run, annotations=options.annotations
        )
        self._context.admission.check("before validation", operation)
        causes = kind.strategy.unavailable(obj, None, cluster)
        causes = causes or [*validate_metadata(kind, obj.metadata), *kind.strategy.validate_create(obj, cluster)]
        if causes:
            raise invalid_object(kind, obj.metadata.name, causes)
        self._context.admission.check("before storage", operation)
        return (*options.warnings, *operation.warnings, *kind.strategy.warnings(obj, None, cluster))

    async def _store(
        self, kind: Kind[Any], obj: Any, options: WriteOptions, warnings: tuple[str, ...], *, made_up: bool
    ) -> Answer:
        if options.dry_run:
            return await self._preview(kind, obj, warnings)
        cluster = self._context.cluster()
        pending = kind.strategy.pending(obj, cluster)
        stock = self._context.stocks.get(kind.key)
        if pending and stock is not None and not options.respond_async:
            answer = await self._store_at_once(stock, kind, obj, warnings, made_up=made_up)
            if answer is not None:
                return answer
        write = self._context.forms.write(
            kind, "create", obj, encode_body(obj), cluster, published=options.respond_async or not pending
        )
        outcome = await self._write(kind, write, made_up=made_up)
        if not isinstance(outcome, Committed):
            raise self._refusal(kind, write, outcome)
        if outcome.revision is not None:
            entry = entry_from_object(kind, obj, outcome.revision)
            return Answer(201, entry, warnings=warnings, preference_applied=options.respond_async)
        try:
            found = await published(self._context, kind, obj)
        except (ServiceUnavailable, TooManyRequests) as error:
            # Both errors promise that nothing was stored, so clients would send the POST again.
            message = f"the object was stored, but it is not known whether it is allocated: {error.message}"
            raise Timeout(message) from error
        if found is None:
            raise Timeout("the object was stored, but it was deleted before this request could be answered")
        return Answer(201, found, warnings=warnings)

    async def _store_at_once(
        self, stock: Stock, kind: Kind[Any], obj: Any, warnings: tuple[str, ...], *, made_up: bool
    ) -> Answer | None:
        """Store an object with what the stock of this process has for it; None if the reconciler has to allocate."""
        cluster = self._context.cluster()
        given = stock.give(obj, cluster)
        if given is None:
            ALLOCATED_AT_ONCE.labels("left").inc()
            return None
        body = encode_body(given.service)
        write = self._context.forms.write(kind, "create", given.service, body, cluster)
        outcome = await self._write(kind, write, made_up=made_up)
        if isinstance(outcome, Committed) and outcome.revision is not None:
            ALLOCATED_AT_ONCE.labels("given").inc()
            return Answer(201, entry_from_object(kind, given.service, outcome.revision, body), warnings=warnings)
        if isinstance(outcome, ClaimHeld):
            ALLOCATED_AT_ONCE.labels("refused").inc()
            # Either what the client asks for, which is told when it is stored without the stock, or what was given.
            return None
        stock.give_back(given)
        raise self._refusal(kind, write, outcome)

    async def _write(self, kind: Kind[Any], write: Write, *, made_up: bool) -> Outcome:
        return await written(self._context, Target(kind, write.namespace, "" if made_up else write.name), write)

    def _refusal(self, kind: Kind[Any], write: Write, outcome: Outcome) -> ApiError:
        if isinstance(outcome, NameTaken):
            holder = self._context.mirror.get(kind.key, write.namespace, write.name)
            return already_exists(kind, write.name, deleting=holder is not None and is_deleting(holder.wire))
        return refusal(kind, write.namespace, write.name, outcome)

    async def _preview(self, kind: Kind[Any], obj: Any, warnings: tuple[str, ...]) -> Answer:
        target = Target(kind, obj.metadata.namespace, obj.metadata.name)
        write = self._context.forms.write(kind, "create", obj, encode_body(obj), self._context.cluster())
        await self._context.forecast(kind, write, None)
        holder = await self._context.current(target) or await awaited(self._context, target)
        if holder is not None:
            raise already_exists(kind, obj.metadata.name, deleting=is_deleting(holder.wire))
        await self._context.preview(kind, obj, created=True)
        told = self._consequences.of(kind, None, obj)
        return Answer(201, entry_from_object(kind, obj, 0), warnings=warnings, preview=told)


def _fill_metadata(target: Target, obj: KubeObject, cluster: Cluster) -> None:
    """Set the fields that the system owns (rest.FillObjectMetaSystemFields); drop those that clients may not set."""
    meta, kind = obj.metadata, target.kind
    obj.api_version, obj.kind = kind.api_version, kind.name
    meta.namespace = target.scope if kind.namespaced else None
    meta.uid = new_uid()
    meta.creation_timestamp = cluster.now
    meta.resource_version = meta.self_link = meta.deletion_timestamp = None
    meta.deletion_grace_period_seconds = None
