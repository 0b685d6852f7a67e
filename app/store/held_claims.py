"""What people are told of a claim that somebody else holds."""

from app.store.claim_tables import CLAIM_TABLES
from app.store.writes import ClaimHeld


def refusal(held: ClaimHeld, namespace: str) -> tuple[str | int, str]:
    """The value that is held, and the words for it.

    The holder is named only to those who work in its namespace.

    Args:
        held: What was refused.
        namespace: Of the object that wanted it.
    """
    holder = f" by {held.owner_kind}/{held.owner_name}" if held.owner_namespace == namespace else ""
    value, taken = CLAIM_TABLES[held.claim.table].refusal(held.claim.key)
    return value, f"{taken}{holder}"
