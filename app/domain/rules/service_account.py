"""The rules of a ServiceAccount."""

from app.domain.kinds.meta import ObjectReference
from app.domain.kinds.service_account import ServiceAccount
from app.domain.rules.cluster import Cluster
from app.domain.rules.strategy import Strategy


class ServiceAccountStrategy(Strategy[ServiceAccount]):
    """Of references to Secrets only the name is kept, since Secrets are in the same namespace."""

    def prepare_create(self, new: ServiceAccount, cluster: Cluster) -> None:
        """Keep the names of Secrets only."""
        del cluster
        _keep_names(new)

    def prepare_update(self, new: ServiceAccount, old: ServiceAccount, cluster: Cluster) -> None:
        """Keep the names of Secrets only."""
        del old, cluster
        _keep_names(new)


def _keep_names(account: ServiceAccount) -> None:
    if account.secrets:
        account.secrets = [ObjectReference(name=each.name) for each in account.secrets]
