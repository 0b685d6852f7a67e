"""Load balanced Services and static addresses, as the tests write and read them."""

from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS

PREFIX = "service.beta.kubernetes.io/azure-"
INTERNAL = f"{PREFIX}load-balancer-internal"
SUBNET = f"{PREFIX}load-balancer-internal-subnet"
IPV4 = f"{PREFIX}load-balancer-ipv4"
WHOLE = f"{PREFIX}load-balancer-enable-high-availability-ports"
NAME = f"{PREFIX}pip-name"


def balanced(name, annotations=None, *, port=80, **spec):
    return {
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": port}], **spec},
    }


def static(name, **spec):
    return {"metadata": {"name": name}, "spec": {"pool": "external", **spec}}


def pool(name, *addresses, scope="external", **spec):
    return {"metadata": {"name": name}, "spec": {"scope": scope, "addresses": list(addresses), **spec}}


def addresses(service):
    return [point.ip for point in service.status.load_balancer.ingress or []]


def address(service):
    return next(iter(addresses(service)), None)


def condition(obj, type_):
    return next((each for each in obj.status.conditions or [] if each.type == type_), None)


def reason(obj, type_="Allocated"):
    told = condition(obj, type_)
    return None if told is None else told.reason


async def given(world, name, annotations=None, *, namespace="default", **how):
    """The address that a new Service was given, None while it waits."""
    return address(await world.create(SERVICE, balanced(name, annotations, **how), namespace))


async def kept(world, name, namespace="default", **spec):
    """The address of a new StaticAddress."""
    return (await world.create(STATIC_ADDRESS, static(name, **spec), namespace)).status.address


async def annotate(world, name, annotations, namespace="default", **spec):
    """Give a Service other annotations; answers it as stored."""

    def change(service):
        service.metadata.annotations = annotations
        for field, value in spec.items():
            setattr(service.spec, field, value)

    return await world.change(SERVICE, name, change, namespace)
