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
"""Any text, usually a timestamp; each new value is a renewal."""

NODE_LEASE_NAMESPACE = "kube-node-lease"
"""Where the Lease of a Node is, under the Node's name."""

DEFAULT_SECONDS = 40
"""How long a renewal lasts when a Lease does not say: as long as Kubernetes waits for a kubelet."""

LEASE_EXPIRED, NODE_LEASE_EXPIRED = "LeaseExpired", "NodeLeaseExpired"
"""Reasons of a condition Ready that was set to False here: the registration's own lease expired, or its node's."""

LEASE_RENEWED = "LeaseRenewed"
"""Reason of a condition Ready that was set back to True here."""

ConditionT = TypeVar("ConditionT", NodeCondition, PodCondition)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a registrant says of its lease.

    Attributes:
        mark: Differs after each renewal.
        seconds: How long a renewal lasts.
    """

    mark: str
    seconds: int

    @property
    def condition_message(self) -> str:
        """What the condition Ready says when the lease has expired after this renewal."""
        last = f"; it was renewed last at {self.mark}" if self.mark else ""
        return f"{self.event_message}{last}"

    @property
    def event_message(self) -> str:
        """What the Event says then. It is the same each time, so that one Event counts them."""
        return f"the lease of {self.seconds} s has expired"


def lease_causes(meta: ObjectMeta) -> list[Cause]:
    """What is wrong with a registration's annotations about its lease."""
    text = (meta.annotations or {}).get(DURATION_ANNOTATION)
    if text is None or _seconds(text) is not None:
        return []
    problem = "must be a whole number of seconds from 1 to 86400, such as 30"
    return [invalid(f"metadata.annotations[{DURATION_ANNOTATION}]", text, problem)]


def annotated_heartbeat(meta: ObjectMeta) -> Heartbeat | None:
    """The lease that a registration's own annotations carry."""
    annotations = meta.annotations or {}
    seconds = _seconds(annotations.get(DURATION_ANNOTATION, ""))
    return None if seconds is None else Heartbeat(annotations.get(RENEW_TIME_ANNOTATION, ""), seconds)


def lease_heartbeat(lease: Lease) -> Heartbeat:
    """What a Lease says; without `renewTime` a change of its holder is the renewal."""
    spec = lease.spec
    return Heartbeat(spec.renew_time or spec.acquire_time or "", spec.lease_duration_seconds or DEFAULT_SECONDS)


def leased_node(lease: Lease) -> str | None:
    """Name of the Node whose Lease this is."""
    return lease.metadata.name if lease.metadata.namespace == NODE_LEASE_NAMESPACE else None


def leased_pods(lease: Lease) -> list[str]:
    """Uids of the Pods whose Lease this is: its owners."""
    owners = lease.metadata.owner_references or []
    return [owner.uid for owner in owners if (owner.api_version, owner.kind) == ("v1", "Pod")]


def own_reason(conditions: Sequence[NodeCondition | PodCondition] | None) -> str:
    """Why a registration was made not ready here; "" when it was not."""
    found = next((each for each in conditions or [] if each.type == READY), None)
    if found is None or found.status != "False" or found.reason not in (LEASE_EXPIRED, NODE_LEASE_EXPIRED):
        return ""
    return found.reason


def not_ready(conditions: list[ConditionT] | None, reason: str, message: str, now: str) -> list[ConditionT] | None:
    """The conditions of a registration that counts as not ready; one that does not claim to be ready is left alone."""
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
    """The conditions of a registration that renewed its lease: ready, if it was only made not ready here."""
    if not own_reason(conditions):
        return conditions
    renewed = {"status": "True", "reason": LEASE_RENEWED, "message": "", "last_transition_time": now}
    return [structs.replace(each, **renewed) if each.type == READY else each for each in conditions or []]


def _seconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):  # noqa: PLR2004 - 86400 has five digits
        return None
    return int(text) if 1 <= int(text) <= 86400 else None  # noqa: PLR2004 - a day
