"""Lease (coordination.k8s.io/v1): who holds something, and until when unless renewed."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Wire


class LeaseSpec(Wire):
    """Who holds the lease, since when, and how long a renewal lasts, in seconds.

    Attributes:
        holder_identity: Who holds it.
        lease_duration_seconds: For how long after a renewal others leave it alone.
        acquire_time: When its holder got it.
        renew_time: When its holder renewed it last.
        lease_transitions: How often it changed hands.
        strategy: How a holder is chosen, for coordinated leader election: OldestEmulationVersion.
        preferred_holder: Who should have it next; only together with `strategy`.
    """

    holder_identity: str | None = None
    lease_duration_seconds: Int32 | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: Int32 | None = None
    strategy: str | None = None
    preferred_holder: str | None = None


class Lease(KubeObject):
    """A claim that lapses unless it is renewed."""

    spec: LeaseSpec = field(default_factory=LeaseSpec)
