"""Incremental discovery: a response carries what changed."""

from collections.abc import Iterator

from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest
from envoy.service.discovery.v3.discovery_pb2 import Resource as ResourceMessage

from app.serving.envoy.clusters import empty_assignment
from app.serving.resources import ASSIGNMENT, TYPES, resource
from app.serving.xds.session import Batch, Session

EVERYTHING = "*"
NOBODY = ("", "")


def take_answer(session: Session, request: DeltaDiscoveryRequest | DiscoveryRequest, now: float) -> bool:
    """Tell a session whether the client took the response that a request answers, if it answers one.

    Returns:
        Whether something is served of the request's type; requests of others are left without an answer.
    """
    url, nonce = request.type_url, request.response_nonce
    if url not in TYPES:
        return False
    if nonce and request.HasField("error_detail"):
        session.reject(url, nonce, request.error_detail.message, now)
    elif nonce:
        session.accept(url, nonce)
    return True


class DeltaDialect:
    """Turns the requests of one stream into calls of its session, and batches into responses."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: set[str] = set()

    def receive(self, request: DeltaDiscoveryRequest, now: float) -> None:
        """Take in a request; `now` counts seconds."""
        url, session = request.type_url, self._session
        if not take_answer(session, request, now):
            return
        names = list(request.resource_names_subscribe)
        is_first, everything = url not in self._asked, EVERYTHING in names
        if is_first:
            self._asked.add(url)
            session.has(url, request.initial_resource_versions.items())
            # Before "*" was introduced, a first request without names asked for everything.
            everything = everything or (not names and url != ASSIGNMENT)
        if is_first or names:
            session.subscribe(url, [name for name in names if name != EVERYTHING], wildcard=everything)
        session.unsubscribe(url, request.resource_names_unsubscribe)

    def responses(self) -> Iterator[DeltaDiscoveryResponse]:
        """What is to be sent now, in order."""
        return map(_response, self._session.batches())


def _response(batch: Batch) -> DeltaDiscoveryResponse:
    message = DeltaDiscoveryResponse(
        type_url=batch.type_url,
        nonce=batch.nonce,
        resources=[
            ResourceMessage(name=each.name, version=each.version, resource=each.packed()) for each in batch.changed
        ],
        removed_resources=batch.removed,
    )
    if batch.type_url == ASSIGNMENT:
        empty = [resource(ASSIGNMENT, name, empty_assignment(name), NOBODY) for name in batch.absent]
        message.resources.extend(ResourceMessage(name=each.name, resource=each.packed()) for each in empty)
    else:
        message.removed_resources.extend(batch.absent)
    return message
