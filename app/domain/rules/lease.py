"""The rules of a Lease."""

from app.domain.errors import Cause, forbidden, invalid, invalid_for, not_supported
from app.domain.kinds.lease import Lease
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import qualified_name_problems
from app.domain.rules.strategy import Strategy

_STRATEGY = "OldestEmulationVersion"


class LeaseStrategy(Strategy[Lease]):
    """Durations and counts are checked. Clients agree among themselves on the holder."""

    def validate_create(self, new: Lease, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        spec, causes = new.spec, []
        if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
            causes.append(invalid("spec.leaseDurationSeconds", spec.lease_duration_seconds, "must be greater than 0"))
        if spec.lease_transitions is not None and spec.lease_transitions < 0:
            causes.append(invalid("spec.leaseTransitions", spec.lease_transitions, "must not be negative"))
        if spec.strategy and "/" in spec.strategy:
            causes += invalid_for("spec.strategy", spec.strategy, qualified_name_problems(spec.strategy))
        elif spec.strategy and spec.strategy != _STRATEGY:
            causes.append(not_supported("spec.strategy", spec.strategy, [_STRATEGY]))
        if spec.preferred_holder and not spec.strategy:
            causes.append(forbidden("spec.preferredHolder", "may only be set together with spec.strategy"))
        return causes
