"""What is there from the start: the namespaces every cluster has."""

import structlog

from app.domain.errors import AlreadyExists
from app.domain.kinds.meta import ObjectMeta
from app.domain.kinds.namespace import NAMESPACE, Namespace
from app.registry.options import WriteOptions
from app.registry.registry import Registry

INITIAL_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")

log = structlog.get_logger()


async def bootstrap(registry: Registry) -> None:
    """Create what is missing; any number of processes may do so at once.

    Raises:
        ApiError: The store cannot be reached.
    """
    for name in INITIAL_NAMESPACES:
        namespace = Namespace(metadata=ObjectMeta(name=name))
        try:
            await registry.create(NAMESPACE, "", namespace, WriteOptions(field_manager="fairlead"))
        except AlreadyExists:
            continue
        log.info("namespace created", namespace=name)
