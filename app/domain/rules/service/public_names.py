"""Public DNS names: which a Service gets of those that it asks for, and why not the others."""

from collections.abc import Callable, Iterator, Sequence

from app.domain.kinds.service import Service
from app.domain.rules.addresses import strict_address
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_labels import label_claim
from app.domain.rules.service.annotations import PREFIX, annotation_field
from app.domain.rules.service.conditions import FALSE, PUBLIC_NAMES, TRUE, find_condition, set_condition
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.name_wish import (
    HOSTNAME,
    INTERNAL_HOSTNAME,
    NAMES,
    NameWish,
    name_wish,
    show,
    shown_label,
    shown_names,
)
from app.domain.rules.service.needs import EXTERNAL_NAME, ingress_addresses, is_headless
from app.domain.rules.zone_description import PUBLIC, ZoneDescription, has_labels, is_within, label_zone, zone_of

DNS_LABEL = PREFIX + "azure-dns-label-name"
_TABLE = "dns_labels"

HolderOf = Callable[[Claim], str]
"""Tells who else has what a claim is about, in words; "" if nobody."""

TAKEN, NO_ZONE, INVALID, NO_ADDRESS = "NameTaken", "NoZone", "InvalidName", "NoAddress"
"""Reasons of the condition PublicNames."""


def name_claim(name: str, field: str = annotation_field(NAMES)) -> Claim:
    """The claim on a public name."""
    label, _, domain = name.partition(".")
    return Claim(_TABLE, f"{domain}/{label}", field)


def name_claims(service: Service) -> list[Claim]:
    """The claims on all that the Service has."""
    label = shown_label(service)
    labels = [label_claim(label, annotation_field(DNS_LABEL))] if label else []
    return [*labels, *map(name_claim, shown_names(service))]


def asks_for_names(service: Service) -> bool:
    """Whether a Service asks for public names, or has some."""
    wish = name_wish(service)
    return bool(
        wish.hostnames
        or wish.internal_hostnames
        or wish.problems
        or wish_of(service).dns_label is not None
        or shown_names(service)
        or shown_label(service)
        or find_condition(service, PUBLIC_NAMES)
    )


def restore_names(new: Service, old: Service | None) -> None:
    """Restore what the server shows of names, which no client can change, in place."""
    names, label = (shown_names(old), shown_label(old)) if old is not None else ((), "")
    if (shown_names(new), shown_label(new)) != (names, label):
        new.metadata.annotations = show(new.metadata.annotations, names, label)


def name_warnings(service: Service, cluster: Cluster) -> list[str]:
    """Point out what of a wish for names cannot come true. Without zones, names are somebody else's business."""
    wish = name_wish(service)
    warnings = [problem for problem in wish.problems if cluster.zones]
    if wish_of(service).dns_label and is_ours(service, cluster) and wish_of(service).internal:
        warnings.append(f"annotation {DNS_LABEL} is ignored: an internal load balancer has no public name")
    return warnings


def label_name(label: str, namespace: str, zones: Sequence[ZoneDescription]) -> str:
    """The public name that a label gives an object of a namespace; "" if there is no zone for it."""
    zone = label_zone(namespace, zones) if label else None
    return "" if zone is None else f"{label}.{zone.labels_below}"


def settle_names(service: Service, cluster: Cluster, holder_of: HolderOf) -> None:
    """Write which public names the Service has, and the condition PublicNames, in place.

    Args:
        service: Changed in place.
        cluster: For the zones and the time.
        holder_of: Tells who else has a name or a label.
    """
    problems: list[tuple[str, str]] = [(INVALID, problem) for problem in name_wish(service).problems]
    label, label_names = _label(service, cluster, holder_of, problems)
    names = [*label_names, *_hostnames(service, cluster, holder_of, problems)]
    names = list(dict.fromkeys(names))
    service.metadata.annotations = show(service.metadata.annotations, names, label)
    _tell(service, cluster, names, problems)


def external_targets(service: Service, wish: NameWish) -> Sequence[str] | None:
    """What public names stand for, besides the endpoints of a headless Service; None if it has no external address."""
    if wish.targets:
        return wish.targets
    if service.spec.type == EXTERNAL_NAME:
        target = service.spec.external_name.rstrip(".")
        return [target] if target else []
    if service.spec.type == "LoadBalancer":
        return ingress_addresses(service)
    return [] if is_headless(service.spec) else None


def _label(
    service: Service, cluster: Cluster, holder_of: HolderOf, problems: list[tuple[str, str]]
) -> tuple[str, list[str]]:
    """The label that the Service has from now on, and the name that this gives."""
    wish = wish_of(service)
    if not is_ours(service, cluster) or wish.internal:
        return "", []
    label = shown_label(service) if wish.dns_label is None else wish.dns_label
    if not label:
        return "", []
    namespace = service.metadata.namespace or ""
    zone = label_zone(namespace, cluster.zones)
    holder = holder_of(label_claim(label, annotation_field(DNS_LABEL)))
    if holder:
        problems.append((TAKEN, f'the label "{label}" is taken by {holder}'))
        return "", []
    if zone is None:
        text = f'no DNSZone with a location admits the namespace {namespace}, so the label "{label}" gives no name'
        problems.append((NO_ZONE, text))
        # Where others can have names by labels, the label is for them.
        return "" if has_labels(cluster.zones) else label, []
    return label, [f"{label}.{zone.labels_below}"]


def _hostnames(
    service: Service, cluster: Cluster, holder_of: HolderOf, problems: list[tuple[str, str]]
) -> Iterator[str]:
    wish = name_wish(service)
    lacks_address = external_targets(service, wish) is None
    for key, names in ((HOSTNAME, wish.hostnames), (INTERNAL_HOSTNAME, wish.internal_hostnames)):
        for name in names:
            problem = _why_not(name, service, cluster) or (
                (NO_ADDRESS, f"{name}: a Service of this type has no external address; give {INTERNAL_HOSTNAME}")
                if lacks_address and key == HOSTNAME
                else None
            )
            if problem is None and (holder := holder_of(name_claim(name))):
                problem = TAKEN, f"{name} is taken by {holder}"
            if problem is None:
                yield name
            else:
                problems.append(problem)


def _why_not(name: str, service: Service, cluster: Cluster) -> tuple[str, str] | None:
    """Why a Service cannot have a name that nobody else has; None if it can."""
    namespace = service.metadata.namespace or ""
    zone = zone_of(name, cluster.zones)
    if zone is None or zone.kind != PUBLIC:
        return NO_ZONE, f"{name} is in no public DNSZone"
    if not zone.admits(namespace):
        return NO_ZONE, f'{name}: the DNSZone "{zone.object_name}" does not admit the namespace {namespace}'
    if zone.labels_below and is_within(name, zone.labels_below):
        return INVALID, f"{name}: names in {zone.labels_below} are given by label only; use {DNS_LABEL}"
    is_alias = any(strict_address(each) is None for each in external_targets(service, name_wish(service)) or ())
    if is_alias and name == zone.name:
        return INVALID, f"{name} is the name of the zone itself, which cannot be an alias (RFC 1034, section 3.6.2)"
    return None


def _tell(service: Service, cluster: Cluster, names: Sequence[str], problems: Sequence[tuple[str, str]]) -> None:
    if problems:
        message = "; ".join(message for _, message in problems)
        set_condition(service, cluster, PUBLIC_NAMES, FALSE, reason=problems[0][0], message=message)
    elif names:
        message = f"the Service has the names {', '.join(names)}"
        set_condition(service, cluster, PUBLIC_NAMES, TRUE, reason="Named", message=message)
    elif find_condition(service, PUBLIC_NAMES) is not None:
        rest = [each for each in service.status.conditions or [] if each.type != PUBLIC_NAMES]
        service.status.conditions = rest or None
