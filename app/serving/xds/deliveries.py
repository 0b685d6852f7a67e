"""The spans of deliveries: how long a traced change is on its way to an Envoy, until that has taken or refused it."""

from collections.abc import Sequence

from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.telemetry import tracing

_MOST_REVISIONS = 1_000
"""Traced changes that are remembered: they are looked for within a moment."""


class TracedRevisions:
    """The contexts of the changes that came last.

    Args:
        mirror: Of this process.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._contexts: dict[int, str] = {}
        mirror.subscribe(self._changed, lambda: None)

    def context(self, revision: int) -> str:
        """The context in which a change was written; "" if it is in no trace."""
        return self._contexts.get(revision, "")

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.trace:
                self._contexts[change.revision] = change.trace
        while len(self._contexts) > _MOST_REVISIONS:
            del self._contexts[next(iter(self._contexts))]


class Deliveries:
    """What is on its way to one Envoy.

    Args:
        plane: The name of the Envoy.
        revisions: Those that are traced; None where no traces are wanted.
    """

    def __init__(self, plane: str, revisions: TracedRevisions | None) -> None:
        self._plane = plane
        self._revisions = revisions
        self._open: dict[int, tracing.Span] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def begin(self, revision: int) -> None:
        """A change concerns the Envoy."""
        if self._revisions is None or revision in self._open:
            return
        context = self._revisions.context(revision)
        if context and (span := self._begun(context, revision)):
            self._open[revision] = span

    def _begun(self, context: str, revision: int) -> tracing.Span | None:
        return tracing.begin(
            "deliver",
            context,
            kind=tracing.SpanKind.CLIENT,
            fairlead__plane=self._plane,
            fairlead__revision=revision,
        )

    def reached(self, revision: int, *, refused: bool) -> None:
        """The Envoy has answered all changes up to a revision."""
        for each in [known for known in self._open if known <= revision]:
            span = self._open.pop(each)
            if refused:
                tracing.fail(span, "rejected")
            span.end()

    def end(self) -> None:
        """The Envoy has disconnected."""
        for span in self._open.values():
            tracing.fail(span, "disconnected")
            span.end()
        self._open.clear()
