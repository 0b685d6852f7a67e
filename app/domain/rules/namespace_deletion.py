"""Why a namespace that is being deleted is still there (core/v1 Namespace, `status.conditions`)."""

from collections.abc import Mapping

from app.domain.kinds.namespace import Namespace
from app.domain.rules.conditions import with_condition

CONTENT_REMAINING, FINALIZERS_REMAINING = "NamespaceContentRemaining", "NamespaceFinalizersRemaining"


def tell_what_remains(namespace: Namespace, contents: Mapping[str, int], held: Mapping[str, int], now: str) -> None:
    """Write conditions, in place: which objects are left in the namespace and which finalizers they wait for.

    Args:
        namespace: Changed in place.
        contents: The number of objects, by key of their kind.
        held: The number of objects that wait for a finalizer, by finalizer.
        now: The current time as RFC 3339.
    """
    _set(namespace, CONTENT_REMAINING, contents, ("SomeResourcesRemain", "ContentRemoved", "still there"), now)
    waiting = ("SomeFinalizersRemain", "ContentHasNoFinalizers", "waited for before objects go")
    _set(namespace, FINALIZERS_REMAINING, held, waiting, now)


def _set(namespace: Namespace, type_: str, counts: Mapping[str, int], words: tuple[str, str, str], now: str) -> None:
    """Write one condition; its transition time moves only when its status does."""
    some, none, what = words
    status = "True" if counts else "False"
    told = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    namespace.status.conditions = with_condition(
        namespace.status.conditions,
        type_,
        status,
        reason=some if counts else none,
        message=f"{what}: {told}" if counts else "",
        now=now,
    )
