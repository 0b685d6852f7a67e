"""Registrations that expire: a Node or Pod that stops renewing its lease is not ready until it renews again.

The lease is a Lease (coordination.k8s.io/v1) or two annotations of the registration itself; docs/registrations.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec import structs

from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Cause, invalid
from app.domain.kinds.lease import Lease
from app.domain.kinds.node import NodeCondition
from app.domain.kinds.pod import READY, PodCondition

DURATION_ANNOTATION = "fairlead.io/lease-duration-seconds"
"""Seconds that a renewal of the registration lasts."""

RENEW_TIME_ANNOTATION = "fairlead.io/renew-time"
"""Any text, usually a timestamp. Each new value is a renewal."""

NODE_LEASE_NAMESPACE = "kube-node-lease"
"""The namespace of the Leases of Nodes. Each has the name of its Node."""

DEFAULT_SECONDS = 40
"""Seconds that a renewal lasts if the Lease has none: as long as Kubernetes waits for a kubelet."""

LEASE_EXPIRED, NODE_LEASE_EXPIRED = "LeaseExpired", "NodeLeaseExpired"
"""Reasons of a condition Ready that was set to False here: the registration's own lease expired, or its node's."""

LEASE_RENEWED = "LeaseRenewed"
"""Reason of a condition Ready that was set back to True here."""

ConditionT = TypeVar("ConditionT", NodeCondition, PodCondition)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The state of a lease, as its holder wrote it.

    Attributes:
        mark: A text that differs after each renewal.
        seconds: Seconds that a renewal lasts.
    """

    mark: str
    seconds: int

    @property
    def condition_message(self) -> str:
        """The message of the condition Ready when the lease has expired after this renewal."""
        last = f"; it was renewed last at {self.mark}" if self.mark else ""
        return f"{self.event_message}{last}"

    @property
    def event_message(self) -> str:
        """The message of the Event. It is always the same, so that one Event counts them all."""
        return f"the lease of {self.seconds} s has expired"


def lease_causes(meta: ObjectMeta) -> list[Cause]:
    """What is wrong with the annotations of a registration that describe its lease."""
    text = (meta.annotations or {}).get(DURATION_ANNOTATION)
    if text is None or _seconds(text) is not None:
        return []
    problem = "must be a whole number of seconds from 1 to 86400, such as 30"
    return [invalid(f"metadata.annotations[{DURATION_ANNOTATION}]", text, problem)]


def annotated_heartbeat(meta: ObjectMeta) -> Heartbeat | None:
    """The lease in the annotations of a registration."""
    annotations = meta.annotations or {}
    seconds = _seconds(annotations.get(DURATION_ANNOTATION, ""))
    return None if seconds is None else Heartbeat(annotations.get(RENEW_TIME_ANNOTATION, ""), seconds)


def lease_heartbeat(lease: Lease) -> Heartbeat:
    """The heartbeat of a Lease. Without `renewTime`, a change of its holder is a renewal."""
    spec = lease.spec
    return Heartbeat(spec.renew_time or spec.acquire_time or "", spec.lease_duration_seconds or DEFAULT_SECONDS)


def leased_node(lease: Lease) -> str | None:
    """The name of the Node that a Lease belongs to."""
    return lease.metadata.name if lease.metadata.namespace == NODE_LEASE_NAMESPACE else None


def leased_pods(lease: Lease) -> list[str]:
    """The uids of the Pods that a Lease belongs to: its owners."""
    owners = lease.metadata.owner_references or []
    return [owner.uid for owner in owners if (owner.api_version, owner.kind) == ("v1", "Pod")]


def own_reason(conditions: Sequence[NodeCondition | PodCondition] | None) -> str:
    """Why this server set a registration not ready; "" if it did not."""
    found = next((each for each in conditions or [] if each.type == READY), None)
    if found is None or found.status != "False" or found.reason not in (LEASE_EXPIRED, NODE_LEASE_EXPIRED):
        return ""
    return found.reason


def not_ready(conditions: list[ConditionT] | None, reason: str, message: str, now: str) -> list[ConditionT] | None:
    """The conditions of a registration with Ready set to False. Conditions without a Ready of True are not changed."""
    ours = bool(own_reason(conditions))
    return [
        structs.replace(
            each,
            status="False",
            reason=reason,
            message=message,
            last_transition_time=each.last_transition_time if ours else now,
        )
        if each.type == READY and (ours or each.status == "True")
        else each
        for each in conditions or []
    ] or None


def ready_again(conditions: list[ConditionT] | None, now: str) -> list[ConditionT] | None:
    """The conditions of a registration that renewed its lease. Ready is True again if this server had set it False."""
    if not own_reason(conditions):
        return conditions
    renewed = {"status": "True", "reason": LEASE_RENEWED, "message": "", "last_transition_time": now}
    return [structs.replace(each, **renewed) if each.type == READY else each for each in conditions or []]


def _seconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):  # noqa: PLR2004 - 86400 has five digits
        return None
    return int(text) if 1 <= int(text) <= 86400 else None  # noqa: PLR2004 - a day
