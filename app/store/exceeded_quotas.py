"""What people are told of a quota that does not allow a write, in the words of Kubernetes' admission."""

from collections.abc import Callable

from app.domain.documents.quantities import canonical_quantity
from app.store.writes import Excess, QuotaExceeded


def refusal(exceeded: QuotaExceeded, namespace: str) -> str:
    """Why the write is refused."""
    resources = exceeded.resources
    if not exceeded.quota:
        used, most = resources[0].used, resources[0].limited
        return (
            f"the namespace {namespace} has {used} objects, and no namespace may have more than {most} "
            "(objects-per-namespace); delete some, or use another namespace"
        )

    def told(amount: Callable[[Excess], int]) -> str:
        return ",".join(f"{each.resource}={canonical_quantity(str(amount(each)))}" for each in resources)

    requested, used_up = told(lambda each: each.requested), told(lambda each: each.used)
    limited = ",".join(f"{each.resource}={each.limited}" for each in resources)
    return f"exceeded quota: {exceeded.quota}, requested: {requested}, used: {used_up}, limited: {limited}"
