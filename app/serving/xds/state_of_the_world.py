"""State-of-the-world discovery: a response about clusters or listeners carries all of them. For other clients."""

from collections import defaultdict
from collections.abc import Iterator

from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from app.serving.envoy.clusters import empty_assignment
from app.serving.resources import ASSIGNMENT, Resource, resource
from app.serving.xds.delta import EVERYTHING, NOBODY, take_answer
from app.serving.xds.session import Batch, Session


class StateOfTheWorldDialect:
    """The same as `DeltaDialect` for this variant of the protocol.

    What the client does not take is sent in the version that it has; to leave it out would remove it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: dict[str, set[str]] = {}
        self._bodies: defaultdict[str, dict[tuple[str, str], Resource]] = defaultdict(dict)

    def receive(self, request: DiscoveryRequest, now: float) -> None:
        """Take in a request; `now` counts seconds."""
        url, session = request.type_url, self._session
        if not take_answer(session, request, now):
            return
        names = set(request.resource_names)
        before = self._asked.get(url)
        if before is None:
            everything = EVERYTHING in names or (not names and url != ASSIGNMENT)
            session.subscribe(url, names - {EVERYTHING}, wildcard=everything)
        elif names != before:
            session.subscribe(url, names - before - {EVERYTHING}, wildcard=EVERYTHING in names)
            session.unsubscribe(url, before - names)
        self._asked[url] = names

    def responses(self) -> Iterator[DiscoveryResponse]:
        """What is to be sent now, in order."""
        return map(self._response, self._session.batches())

    def _response(self, batch: Batch) -> DiscoveryResponse:
        url, bodies = batch.type_url, self._bodies[batch.type_url]
        if url == ASSIGNMENT:
            empty = [resource(url, name, empty_assignment(name), NOBODY) for name in batch.absent]
            carried = [*batch.changed, *empty]
        else:
            bodies.update({(each.name, each.version): each for each in batch.changed})
            has = self._session.has_now(url)
            carried = [each for key in has if (each := bodies.get(key)) is not None]
            # A response that is not answered yet may be rejected: then what was there before is needed again.
            kept = has | self._session.had_before(url)
            self._bodies[url] = {key: each for key, each in bodies.items() if key in kept}
        return DiscoveryResponse(
            type_url=url, nonce=batch.nonce, version_info=batch.nonce, resources=[each.packed() for each in carried]
        )
