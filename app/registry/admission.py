"""What a write has to pass besides the rules of its kind. There is one table of it, and no write goes past it.

The order of a request is that of Kubernetes:

1. Authentication: who sends it (`api/guard.py`).
2. Impersonation and authorization: whether they may (`api/access`), before anything is read or decoded.
3. Decoding and defaults (`api/bodies.py`, `Strategy.default`, `Strategy.prepare_create` or `prepare_update`).
4. The checks `before validation`, below.
5. Validation of the metadata and by the kind (`Strategy.validate_*`).
6. The checks `before storage`, below.
7. The write function, which checks names, claims and revisions under its lock.

A deletion has no 3 to 5. What is about the object as it was is checked against a mirror that is up to date.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from app.cluster.admission_policies import AdmissionPolicies
from app.cluster.authorizer import Authorizer
from app.registry.escalation import refuse_escalation
from app.registry.operations import Operation
from app.registry.policies import apply_policies

Check = Callable[[Operation, Authorizer, AdmissionPolicies], None]
"""Returns if the operation may go on, else raises an `ApiError`."""

Stage = Literal["before validation", "before storage"]

CHECKS: Mapping[Stage, Sequence[Check]] = {
    "before validation": (refuse_escalation,),
    "before storage": (apply_policies,),
}
"""The checks of every write path: create, update, patch, apply, bulk apply, status and other subresources, delete and
deletecollection."""


class Admission:
    """Asks every check.

    Args:
        authorizer: Knows who has which rights.
        policies: Knows the admission policies.
        checks: By stage.
    """

    def __init__(
        self, authorizer: Authorizer, policies: AdmissionPolicies, checks: Mapping[Stage, Sequence[Check]] = CHECKS
    ) -> None:
        self._authorizer = authorizer
        self._policies = policies
        self._checks = checks

    def check(self, stage: Stage, operation: Operation) -> None:
        """Return if the operation may go on.

        Raises:
            ApiError: A check refuses it.
        """
        for check in self._checks[stage]:
            check(operation, self._authorizer, self._policies)
