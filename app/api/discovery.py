"""Discovery: which groups, versions and resources there are, in the two forms that clients know."""

from typing import Any

from app.api.paths import subresource_verbs
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind

Document = dict[str, Any]


def core_versions() -> Document:
    """`/api`: APIVersions."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list(groups: list[Document]) -> Document:
    """`/apis`: APIGroupList."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str, versions: tuple[str, ...]) -> Document:
    """An APIGroup; the first version is the preferred one."""
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(group_version: str, resources: list[Document]) -> Document:
    """`/api/v1`, `/apis/{group}/{version}`: APIResourceList."""
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def resources(kind: Kind[Any]) -> list[Document]:
    """The APIResources of a kind: one for the kind, and one for each subresource."""
    own: Document = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        own["shortNames"] = list(kind.short_names)
    if kind.categories:
        own["categories"] = list(kind.categories)
    below = [
        {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            **_other_group(kind, kind.carried_by(name)),
            "kind": kind.carried_by(name).name,
            "verbs": list(verbs),
        }
        for name, verbs in subresource_verbs(kind).items()
    ]
    return [own, *below]


def _other_group(kind: Kind[Any], carried: Kind[Any]) -> Document:
    """Where the kind is found that a subresource takes, if not where its path is."""
    return {} if carried is kind else {"group": carried.group, "version": carried.version}


def aggregated(version: str, groups: list[Document]) -> Document:
    """APIGroupDiscoveryList (KEP-3352): everything in one answer."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": groups,
    }


def aggregated_group(kinds: Kinds, name: str, versions: tuple[str, ...]) -> Document:
    """One group of an aggregated discovery."""
    return {
        "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
        "versions": [
            {
                "version": version,
                "resources": [_aggregated_resource(kind) for kind in kinds.of(name, version)],
                "freshness": "Current",
            }
            for version in versions
        ],
    }


def _aggregated_resource(kind: Kind[Any]) -> Document:
    document: Document = {
        "resource": kind.plural,
        "responseKind": _response_kind(kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        document["shortNames"] = list(kind.short_names)
    if kind.categories:
        document["categories"] = list(kind.categories)
    below = [
        {"subresource": name, "responseKind": _response_kind(kind.carried_by(name)), "verbs": list(verbs)}
        for name, verbs in subresource_verbs(kind).items()
    ]
    return document | ({"subresources": below} if below else {})


def _response_kind(kind: Kind[Any]) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}
