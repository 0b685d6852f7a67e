"""`serviceaccounts/NAME/token`: a token of a ServiceAccount is issued (KEP-1205)."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from app.api.access.service_account_tokens import ServiceAccountTokens
from app.api.bodies import Bodies
from app.api.exchange import Exchange
from app.api.parameters import strictness, write_options
from app.api.rendering import Renderer
from app.domain.declarations.kind import Kind
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.reviews import TOKEN_REQUEST
from app.domain.declarations.secret import SECRET
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import BadRequest, Conflict, NotFound
from app.domain.kinds.pod import Pod
from app.domain.kinds.token_request import BoundObjectReference, TokenRequest, TokenRequestStatus
from app.domain.rules.service_account_tokens import ID_PREFIX, Binding, Reference, username
from app.domain.rules.token_request import (
    BINDABLE,
    default_token_request,
    extended_lifetime,
    is_bindable,
    validate_token_request,
)
from app.domain.timestamps import format_time
from app.mirror.entry import Entry
from app.registry.outcomes import invalid_object
from app.registry.target import Target

_KINDS: dict[str, Kind[Any]] = {"Pod": POD, "Secret": SECRET, "Node": NODE}

_ISSUED = "authentication.kubernetes.io/issued-credential-id"
"""Annotation of the audit log, by which a token that is used is found again."""

Get = Callable[[Target], Awaitable[Entry]]


class TokenRequests:
    """Answers requests for tokens. Nothing is stored of a token.

    Args:
        tokens: Issue.
        get: Reads one object, or raises NotFound.
        bodies: Reads bodies.
        renderer: Writes answers.
    """

    def __init__(self, tokens: ServiceAccountTokens, get: Get, bodies: Bodies, renderer: Renderer) -> None:
        self._tokens = tokens
        self._get = get
        self._bodies = bodies
        self._renderer = renderer

    async def answer(self, exchange: Exchange, target: Target) -> None:
        """POST of a TokenRequest.

        Raises:
            ApiError: It is malformed, or the account or the bound object is not there or not the one that is meant.
        """
        write_options(exchange)  # refused where they are wrong; a dry run is the same, as nothing is stored
        request, exchange.warnings = await self._bodies.read_object(exchange, TOKEN_REQUEST, strictness(exchange.query))
        account = await self._get(Target(target.kind, target.namespace, target.name))
        default_token_request(request, self._tokens.audiences)
        if causes := validate_token_request(request, account.namespace, account.name):
            raise invalid_object(TOKEN_REQUEST, "", causes)
        binding = await self._binding(account, request.spec.bound_object_ref)
        self._shorten(exchange, request)
        credential = await self._issue(request, account, binding)
        if exchange.record is not None:
            exchange.record.annotations[_ISSUED] = f"{ID_PREFIX}{credential}"
        await self._renderer.document(exchange, msgspec.json.encode(request), 201)

    def _shorten(self, exchange: Exchange, request: TokenRequest) -> None:
        """Give no token that is valid for longer than the server is set up for, and say so."""
        asked, limit = request.spec.expiration_seconds or 0, self._tokens.longest_seconds
        if 0 < limit < asked:
            request.spec.expiration_seconds = limit
            text = f"requested expiration of {asked} seconds shortened to {limit} seconds"
            exchange.warnings = [*exchange.warnings, text]

    async def _binding(self, account: Entry, reference: BoundObjectReference | None) -> Binding:
        bound = Binding(account.namespace, serviceaccount=_reference(account))
        if reference is None:
            return bound
        if not is_bindable(reference):
            shown = f"{reference.api_version}, Kind={reference.kind}"
            raise BadRequest(
                f"cannot bind token to object of type {shown}: it must be one of {', '.join(BINDABLE)} of v1"
            )
        kind = _KINDS[reference.kind]
        entry = await self._get(Target(kind, account.namespace if kind.namespaced else "", reference.name))
        if reference.kind == "Pod":
            return await self._bound_to_pod(bound, entry, reference)
        _check_uid(entry, reference)
        return msgspec.structs.replace(bound, **{reference.kind.lower(): _reference(entry)})

    async def _bound_to_pod(self, bound: Binding, entry: Entry, reference: BoundObjectReference) -> Binding:
        pod: Pod = decode_object(POD, entry.wire)
        if pod.spec.service_account_name != bound.serviceaccount.name:
            raise BadRequest(
                f'cannot bind token for serviceaccount "{bound.serviceaccount.name}" to pod running with different '
                f'serviceaccount name: spec.serviceAccountName of the Pod is "{pod.spec.service_account_name}"'
            )
        _check_uid(entry, reference)
        node = await self._node_of(pod)
        return msgspec.structs.replace(bound, pod=_reference(entry), node=node)

    async def _node_of(self, pod: Pod) -> Reference | None:
        """The Node of a Pod (KEP-4193); its name alone where it is not registered."""
        if not pod.spec.node_name:
            return None
        try:
            return _reference(await self._get(Target(NODE, "", pod.spec.node_name)))
        except NotFound:
            return Reference(pod.spec.node_name)

    async def _issue(self, request: TokenRequest, account: Entry, binding: Binding) -> str:
        """Fill in the token; answers what tells it from all others."""
        now = self._tokens.now()
        spec = request.spec
        audiences, asked = spec.audiences or [], spec.expiration_seconds or 0
        lifetime, warn_after = extended_lifetime(
            asked, audiences, self._tokens.audiences, for_pod=binding.pod is not None
        )
        start = int(now.timestamp())
        if warn_after is not None:
            binding = msgspec.structs.replace(binding, warnafter=start + warn_after)
        credential = str(uuid.uuid4())
        claims = {
            "aud": audiences,
            "exp": start + lifetime,
            "iat": start,
            "iss": self._tokens.issuers[0],
            "jti": credential,
            "kubernetes.io": msgspec.to_builtins(binding),
            "nbf": start,
            "sub": username(account.namespace, account.name),
        }
        token = await self._tokens.keys.sign(claims, now + timedelta(seconds=lifetime))
        request.metadata = ObjectMeta(
            name=account.name, namespace=account.namespace, creation_timestamp=format_time(now)
        )
        request.status = TokenRequestStatus(token, format_time(now + timedelta(seconds=asked)))
        return credential


def _reference(entry: Entry) -> Reference:
    return Reference(entry.name, entry.uid)


def _check_uid(entry: Entry, reference: BoundObjectReference) -> None:
    if reference.uid not in ("", entry.uid):
        raise Conflict(
            f'Operation cannot be fulfilled on {reference.kind} "{reference.name}": the UID in the bound object '
            f"reference ({reference.uid}) does not match the UID in record ({entry.uid}). The object might have been "
            "deleted and then recreated",
            kind=reference.kind,
            name=reference.name,
        )
