"""DeleteOptions (meta/v1): from the body, or from the query."""

from typing import Any, Literal

from app.api.bodies import Bodies, media_type
from app.api.exchange import Exchange
from app.api.headers import OBJECTS
from app.api.meta_models import DeleteOptionsBody, Preconditions
from app.api.parameters import flag, whole_number
from app.domain.documents.decoding import Strictness
from app.domain.errors import BadRequest, Cause, Invalid, causes_text, forbidden, not_supported
from app.registry.options import DeleteOptions

_POLICIES: dict[str, Literal["Background", "Foreground", "Orphan"]] = {
    "Background": "Background",
    "Foreground": "Foreground",
    "Orphan": "Orphan",
}
_NAMES = ("", "DeleteOptions")


async def read_delete_options(exchange: Exchange, bodies: Bodies) -> DeleteOptions:
    """The options of delete and deletecollection: a body wins over the query, as in Kubernetes.

    Raises:
        ApiError: The body is of a wrong type or malformed, or an option has no meaning.
    """
    body = await exchange.read_body()
    options = _from_body(exchange, bodies, body) if body else _from_query(exchange)
    causes = _causes(options)
    if causes:
        message = f'DeleteOptions.meta.k8s.io "" is invalid: {causes_text(causes)}'
        raise Invalid(message, group="meta.k8s.io", kind="DeleteOptions", causes=causes)
    policy = options.propagation_policy or _policy_of(options.orphan_dependents)
    conditions = options.preconditions or Preconditions()
    return DeleteOptions(
        dry_run=bool(options.dry_run),
        uid=conditions.uid,
        resource_version=conditions.resource_version,
        propagation=_POLICIES.get(policy, ""),
        tells_held=options.orphan_dependents is False,
        user=exchange.user,
        annotations={} if exchange.record is None else exchange.record.annotations,
    )


def _from_body(exchange: Exchange, bodies: Bodies, body: bytes) -> DeleteOptionsBody:
    options, _ = bodies.decode(DeleteOptionsBody, media_type(exchange, OBJECTS), body, Strictness.IGNORE)
    if options.kind not in _NAMES:
        raise BadRequest(f"the body of a deletion is DeleteOptions, not {options.kind}")
    return options


def _from_query(exchange: Exchange) -> DeleteOptionsBody:
    query = exchange.query
    options = DeleteOptionsBody()
    if "gracePeriodSeconds" in query:
        options.grace_period_seconds = whole_number(query, "gracePeriodSeconds")
    if "orphanDependents" in query:
        options.orphan_dependents = flag(query, "orphanDependents")
    if query.get("propagationPolicy"):
        options.propagation_policy = query["propagationPolicy"]
    if "dryRun" in query:
        options.dry_run = [query["dryRun"]]
    return options


def _causes(options: DeleteOptionsBody) -> list[Cause]:
    causes: list[Cause] = []
    if options.propagation_policy is not None:
        if options.orphan_dependents is not None:
            causes.append(forbidden("propagationPolicy", "it cannot be combined with the deprecated orphanDependents"))
        if options.propagation_policy not in _POLICIES:
            causes.append(not_supported("propagationPolicy", options.propagation_policy, _POLICIES))
    causes += [not_supported("dryRun", each, ["All"]) for each in options.dry_run or [] if each != "All"]
    return causes


def _policy_of(orphan: Any) -> str:
    return {True: "Orphan", False: "Background"}.get(orphan, "")
