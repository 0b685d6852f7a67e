"""The names of frontends, rules and probes, as Azure's provider makes them."""

from dataclasses import dataclass

from app.domain.kinds.service import Service
from app.domain.rules.known_addresses import base_of
from app.domain.rules.service.load_balancer_wish import wish_of

CLUSTER_NAME = "kubernetes"
"""The name of the public load balancer, and the beginning of the name of the internal one."""

_LONGEST = 75
"""Characters of a name before its suffix."""

_SUFFIX = "-IPv6"


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of one Service are made of.

    Attributes:
        base: `a` and the uid of the Service without dashes, cut to 32 characters.
        subnet: The pool that the Service names for its private frontends, or "".
        dual: Whether the Service has two families, so that names of the IPv6 side end with `-IPv6`.
    """

    base: str
    subnet: str
    dual: bool

    @classmethod
    def of(cls, service: Service) -> "Names":
        """The names of a Service."""
        return cls(
            base_of(service.metadata.uid or ""), wish_of(service).subnet, len(service.spec.ip_families or []) > 1
        )

    def frontend(self, family: str) -> str:
        """The name of the frontend of a family."""
        name = f"{self.base}-{self.subnet}" if self.subnet else self.base
        if len(name) > _LONGEST:
            name = name[:_LONGEST]
            name = name if name[-1].isalpha() else f"{name[:-1]}_"
        return self._of_family(name, family)

    def rule(self, protocol: str, port: int, family: str) -> str:
        """The name of the rule of a port, and of its probe; `protocol` is TCP, UDP or SCTP."""
        end = f"-{protocol}-{port}"
        room = _LONGEST - len(self.base) - len(end) - 1
        middle = f"-{self.subnet[:room]}" if self.subnet else ""
        return self._of_family(f"{self.base}{middle}{end}", family)

    def _of_family(self, name: str, family: str) -> str:
        return f"{name}{_SUFFIX}" if self.dual and family == "IPv6" else name


def load_balancer_name(*, internal: bool) -> str:
    """The name of the load balancer that a Service belongs to."""
    return f"{CLUSTER_NAME}-internal" if internal else CLUSTER_NAME
