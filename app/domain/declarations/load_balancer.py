"""The declaration of LoadBalancer."""

from app.domain.declarations.columns import AGE, NAME, first_few
from app.domain.declarations.kind import Column, Derivation, Kind
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL
from app.domain.kinds.load_balancer import LoadBalancer
from app.domain.wanted.load_balancer_objects import load_balancers, neighbours, touched_by_node

_NONE, _PENDING = "<none>", "<pending>"


def _name(found: LoadBalancer, _now: str) -> str:
    return found.spec.load_balancer


def _addresses(found: LoadBalancer, _now: str) -> str:
    return ",".join(each.address for each in found.spec.frontends or []) or _PENDING


def _rules(found: LoadBalancer, _now: str) -> str:
    texts = (f"{each.frontend_port or '*'}/{each.protocol}" for each in found.spec.rules or [])
    return first_few(list(dict.fromkeys(texts))) or _NONE


def _members(found: LoadBalancer, _now: str) -> str:
    return f"{found.status.members.ready}/{found.status.members.total}"


def _served(found: LoadBalancer, _now: str) -> str:
    planes = found.status.data_planes or []
    return f"{sum(each.state == 'Served' for each in planes)}/{len(planes)}"


def _pools(found: LoadBalancer, _now: str) -> str:
    return ",".join(dict.fromkeys(each.pool for each in found.spec.frontends or [] if each.pool)) or _NONE


def _sources(found: LoadBalancer, _now: str) -> str:
    sources = (each for rule in found.spec.access or [] for each in rule.sources or [])
    return first_few(list(dict.fromkeys(sources))) or _NONE


LOAD_BALANCER: Kind[LoadBalancer] = Kind(
    group="fairlead.io",
    version="v1",
    name="LoadBalancer",
    plural="loadbalancers",
    singular="loadbalancer",
    namespaced=True,
    model=LoadBalancer,
    schema="io.fairlead.v1.LoadBalancer",
    columns=(
        NAME,
        Column("Load-Balancer", _name, description="kubernetes, or kubernetes-internal for private frontends."),
        Column("Addresses", _addresses, description="The addresses of the frontends."),
        Column("Rules", _rules, description="The ports that have a rule."),
        Column("Members", _members, description="How many members are ready, and how many there are."),
        Column("Served", _served, description="How many of the data planes serve the newest state."),
        AGE,
        Column("Pools", _pools, description="The pools of the addresses.", priority=1),
        Column("Sources", _sources, description="The clients that are admitted.", priority=1),
    ),
    short_names=("lb",),
    selectable={"spec.loadBalancer": lambda found: found.spec.load_balancer},
    verbs=("get", "list", "watch"),
    derivation=Derivation(
        "services",
        load_balancers,
        source_name=lambda name: name,
        parts="endpointslices.discovery.k8s.io",
        part_label=SERVICE_NAME_LABEL,
        neighbours=neighbours,
        surroundings="nodes",
        touched=touched_by_node,
    ),
)
