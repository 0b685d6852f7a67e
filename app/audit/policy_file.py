"""The policy of the audit log, from a file in the form of Kubernetes (audit.k8s.io/v1 Policy)."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import field

from app.credentials.yaml_files import read_yaml
from app.domain.rules.audit_policy import (
    LEVELS,
    STAGES,
    AuditPolicy,
    AuditRule,
    Decision,
    Level,
    ResourceSelection,
)

_LARGEST_FILE = 1024 * 1024

DEFAULT_POLICY = AuditPolicy(
    (AuditRule(Decision(Level.METADATA, omitted_stages=frozenset(("RequestReceived",)))),),
)
"""Who did what, of every request, when it is answered."""


class PolicyError(ValueError):
    """A policy cannot be used. The message names the field and says what would be right."""


class _Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of the file; a field that is not known is refused."""


class _Resources(_Strict):
    group: str = ""
    resources: list[str] = field(default_factory=list)
    resource_names: list[str] = field(default_factory=list)


class _Rule(_Strict):
    level: str
    users: list[str] = field(default_factory=list)
    user_groups: list[str] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    resources: list[_Resources] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    non_resource_urls: list[str] = field(default_factory=list, name="nonResourceURLs")
    omit_stages: list[str] = field(default_factory=list)
    omit_managed_fields: bool | None = None


class _Policy(_Strict):
    api_version: Literal["audit.k8s.io/v1"]
    kind: Literal["Policy"]
    rules: list[_Rule]
    metadata: dict[str, object] = field(default_factory=dict)
    omit_stages: list[str] = field(default_factory=list)
    omit_managed_fields: bool = False


class CurrentPolicy:
    """The policy that holds now.

    Attributes:
        current: The policy.
    """

    def __init__(self, policy: AuditPolicy) -> None:
        self.current = policy

    def replace(self, policy: AuditPolicy) -> None:
        """Let another policy hold from now on."""
        self.current = policy


def read_policy(path: Path) -> AuditPolicy:
    """Read a policy.

    Raises:
        PolicyError: It cannot be read, can be changed by others than its owner, or is wrong.
    """
    try:
        found = read_yaml(path, _LARGEST_FILE, _Policy)
    except ValueError as error:
        raise PolicyError(str(error)) from error
    try:
        return _policy(found)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def _policy(found: _Policy) -> AuditPolicy:
    if not found.rules:
        raise PolicyError("rules: must have at least one")
    _check_stages("omitStages", found.omit_stages)
    return AuditPolicy(tuple(_rule(f"rules[{number}]", rule, found) for number, rule in enumerate(found.rules)))


def _rule(where: str, found: _Rule, policy: _Policy) -> AuditRule:
    if found.level not in LEVELS:
        raise PolicyError(f"{where}.level: must be one of {', '.join(LEVELS)}")
    _check_stages(f"{where}.omitStages", found.omit_stages)
    if found.non_resource_urls and (found.resources or found.namespaces):
        raise PolicyError(f"{where}.nonResourceURLs: cannot be given with resources or namespaces")
    for number, url in enumerate(found.non_resource_urls):
        if url != "*" and (not url.startswith("/") or "*" in url[:-1]):
            raise PolicyError(f"{where}.nonResourceURLs[{number}]: must be * or begin with /, with * at its end only")
    omits = found.omit_managed_fields
    return AuditRule(
        decision=Decision(
            LEVELS[found.level],
            frozenset((*found.omit_stages, *policy.omit_stages)),
            policy.omit_managed_fields if omits is None else omits,
        ),
        users=frozenset(found.users),
        groups=frozenset(found.user_groups),
        verbs=frozenset(found.verbs),
        namespaces=frozenset(found.namespaces),
        selections=tuple(
            _selection(f"{where}.resources[{number}]", each) for number, each in enumerate(found.resources)
        ),
        paths=tuple(found.non_resource_urls),
    )


def _selection(where: str, found: _Resources) -> ResourceSelection:
    if found.resource_names and not found.resources:
        raise PolicyError(f"{where}.resourceNames: needs resources")
    if "/" in found.group:
        raise PolicyError(f"{where}.group: must be a group without its version")
    return ResourceSelection(found.group, tuple(found.resources), frozenset(found.resource_names))


def _check_stages(where: str, stages: Sequence[str], valid: Collection[str] = STAGES) -> None:
    for number, stage in enumerate(stages):
        if stage not in valid:
            raise PolicyError(f"{where}[{number}]: must be one of {', '.join(valid)}")
