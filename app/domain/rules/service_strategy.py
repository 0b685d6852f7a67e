"""The rules of a Service, in the order in which the API server applies them (pkg/registry/core/service)."""

from app.domain.kinds.kind import Strategy
from app.domain.kinds.meta import Claim
from app.domain.kinds.service import Service
from app.domain.rules.claims import claims
from app.domain.rules.conditions import is_pending


class ServiceStrategy(Strategy[Service]):
    """Service: defaulting, validation, transitions, claims."""

    def claims(self, obj: Service) -> tuple[Claim, ...]:
        """The addresses and ports that the Service shows."""
        return claims(obj)

    def pending(self, obj: Service) -> bool:
        """Whether something is left for the reconciler to allocate."""
        return is_pending(obj)
