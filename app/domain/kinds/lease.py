"""Lease (coordination.k8s.io/v1): the holder of a role, for a limited time unless renewed."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Wire


class LeaseSpec(Wire):
    """The holder of a lease, and for how long.

    Attributes:
        holder_identity: The name of the holder.
        lease_duration_seconds: Seconds after a renewal during which no other client may take the lease.
        acquire_time: When the holder got the lease.
        renew_time: When the holder renewed the lease last.
        lease_transitions: How often the lease got another holder.
        strategy: How a holder is chosen, for coordinated leader election: OldestEmulationVersion.
        preferred_holder: The holder that should get the lease next; only together with `strategy`.
    """

    holder_identity: str | None = None
    lease_duration_seconds: Int32 | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: Int32 | None = None
    strategy: str | None = None
    preferred_holder: str | None = None


class Lease(KubeObject):
    """A claim that expires unless it is renewed."""

    spec: LeaseSpec = field(default_factory=LeaseSpec)
