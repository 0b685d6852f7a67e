"""Lease (coordination.k8s.io/v1): who holds something, and until when unless renewed."""

from msgspec import field

from app.domain.errors import Cause, forbidden, invalid
from app.domain.kinds.columns import AGE, NAME
from app.domain.kinds.kind import Column, Kind, Strategy
from app.domain.kinds.meta import Cluster, Int32, KubeObject, MicroTime, Wire
from app.domain.rules.names import qualified_name_problem

_STRATEGY = "OldestEmulationVersion"


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


class LeaseStrategy(Strategy[Lease]):
    """A lease's numbers make sense; who may take it is its holders' business."""

    def validate_create(self, new: Lease, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        spec, causes = new.spec, []
        if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
            causes.append(invalid("spec.leaseDurationSeconds", spec.lease_duration_seconds, "must be greater than 0"))
        if spec.lease_transitions is not None and spec.lease_transitions < 0:
            causes.append(invalid("spec.leaseTransitions", spec.lease_transitions, "must not be negative"))
        if spec.strategy and spec.strategy != _STRATEGY:
            problem = qualified_name_problem(spec.strategy) if "/" in spec.strategy else f"must be {_STRATEGY}"
            causes += [invalid("spec.strategy", spec.strategy, problem)] if problem else []
        if spec.preferred_holder and not spec.strategy:
            causes.append(forbidden("spec.preferredHolder", "may only be set together with spec.strategy"))
        return causes


LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    name="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    model=Lease,
    schema="io.k8s.api.coordination.v1.Lease",
    columns=(
        NAME,
        Column("Holder", lambda lease, _now: lease.spec.holder_identity or "", description="Who holds the lease."),
        AGE,
    ),
    strategy=LeaseStrategy(),
    create_on_update=True,
    unconditional_update=False,
)
