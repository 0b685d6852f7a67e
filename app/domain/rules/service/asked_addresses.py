"""The load balancer address that a Service asks for, by itself or by name: which one it is, and whether it may use it.

A name is that of a StaticAddress, or `kubernetes-<base>` for the address that a Service was given, as Azure names them.
"""

import msgspec

from app.domain.kinds.service import Service
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.addresses import family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.known_addresses import base_in, base_of
from app.domain.rules.pool_description import EXTERNAL, INTERNAL
from app.domain.rules.service.load_balancer_wish import AskedAddress, wish_of
from app.domain.rules.service.needs import ingress_addresses
from app.domain.rules.static_address import is_shared_with, pool_of, why_no_further_user

ADDRESS_NOT_FOUND, ADDRESS_NOT_USABLE, ADDRESS_IN_USE = "AddressNotFound", "AddressNotUsable", "AddressInUse"
"""Reasons of the condition Allocated: the address that a Service asks for is not there, is not for it, is another's."""


class FoundAddress(msgspec.Struct, frozen=True):
    """What a Service asks for.

    Attributes:
        address: Canonical text; "" if there is none.
        home: The namespace in which the address is shared.
        reason: Of the problem, for a condition.
        problem: Why the Service cannot use the address, in words; "" if nothing is known against it.
    """

    address: str
    home: str
    reason: str = ""
    problem: str = ""


def asked_of(service: Service, family: str) -> AskedAddress | None:
    """The address of a family that a Service asks for; None if it is content with the one it is given."""
    asked = wish_of(service).asked.get(family)
    if asked is None or not asked.name:
        return asked
    own = asked.namespace in ("", service.metadata.namespace) and base_in(asked.name) == base_of(
        service.metadata.uid or ""
    )
    return None if own else asked


def home_of(asked: AskedAddress, service: Service) -> str:
    """The namespace in which the address that a Service asks for is shared."""
    return asked.namespace or service.metadata.namespace or ""


def must_exist(asked: AskedAddress, service: Service, cluster: Cluster) -> bool:
    """Whether an address that no StaticAddress keeps must be another Service's.

    Azure gives a public address only if somebody has made it before.
    """
    if asked.name or not asked.must_exist or wish_of(service).internal or not cluster.pools:
        return False
    return cluster.addresses.static_at(asked.address) is None


def find(asked: AskedAddress, service: Service, family: str, cluster: Cluster) -> FoundAddress:
    """The address that a Service asks for.

    Args:
        asked: By itself or by name.
        service: Who asks for it.
        family: The family that the address must have.
        cluster: Knows which addresses are kept and given.
    """
    home = home_of(asked, service)
    if not asked.name:
        return _by_itself(asked, service, home, cluster)
    own = service.metadata.namespace or ""
    static = cluster.addresses.static(home, asked.name)
    if static is not None and is_shared_with(static, own):
        return _kept(static, service, family, home, cluster)
    base = base_in(asked.name)
    given = cluster.addresses.given(home, base, family) if base and home == own else ""
    if given:
        return FoundAddress(given, home)
    # Whether another namespace has such a name is its own business as long as it does not share it.
    problem = "the namespace has no StaticAddress of this name"
    if home != own:
        problem = f"no StaticAddress of this name is shared with the namespace {own}"
    return FoundAddress("", home, ADDRESS_NOT_FOUND, problem)


def _by_itself(asked: AskedAddress, service: Service, home: str, cluster: Cluster) -> FoundAddress:
    static = cluster.addresses.static_at(asked.address)
    if static is None:
        return FoundAddress(asked.address, home)
    namespace, name = static.metadata.namespace or "", static.metadata.name
    if namespace != home:
        problem = "it is a StaticAddress of another namespace"
        if is_shared_with(static, home):
            problem = f"ask for it as {namespace}/{name}, by azure-pip-name"
        return FoundAddress("", home, ADDRESS_NOT_USABLE, problem)
    return _kept(static, service, family_of(asked.address), home, cluster)


def _kept(static: StaticAddress, service: Service, family: str, home: str, cluster: Cluster) -> FoundAddress:
    """What a StaticAddress keeps, if it is for the Service."""
    address = static.status.address
    if problem := _why_not_for(static, service, family, cluster):
        return FoundAddress("", home, ADDRESS_NOT_USABLE, problem)
    if address and address in ingress_addresses(service):
        return FoundAddress(address, home)
    if problem := _why_not_admitted(static, service, cluster):
        return FoundAddress("", home, ADDRESS_NOT_USABLE, problem)
    if problem := why_no_further_user(static):
        return FoundAddress("", home, ADDRESS_NOT_FOUND if not address else ADDRESS_NOT_USABLE, problem)
    return FoundAddress(address, home)


def _why_not_admitted(static: StaticAddress, service: Service, cluster: Cluster) -> str:
    """Why the pool of a StaticAddress is not for the namespace of a Service, whoever shares it; "" if it is."""
    pool, namespace = pool_of(static, cluster), service.metadata.namespace or ""
    if pool is None or pool.admits(namespace):
        return ""
    return f'it is an address of the pool "{pool.name}", which does not admit the namespace {namespace}'


def _why_not_for(static: StaticAddress, service: Service, family: str, cluster: Cluster) -> str:
    """Why a Service cannot use a StaticAddress, whatever becomes of it; "" if it can."""
    scope = INTERNAL if wish_of(service).internal else EXTERNAL
    if static.spec.family != family:
        return f"it is an {static.spec.family} address, not an {family} one"
    pool = pool_of(static, cluster)
    if pool is not None and pool.scope != scope:
        return f"it is an address of the {pool.scope} pool {pool.name}, and the Service is {scope}"
    return ""
