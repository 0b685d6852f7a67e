"""Who has which rights, as the roles and bindings of this moment say."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.role_bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING
from app.domain.declarations.roles import CLUSTER_ROLE, ROLE
from app.domain.documents.encoding import decode_object
from app.domain.kinds.role_binding import RoleRef
from app.domain.rules.access.requests import Request
from app.domain.rules.access.rights import EVERYTHING, CompiledRule, Rights, compiled
from app.domain.rules.access.subjects import SubjectKey, keys_of, subject_key
from app.domain.user import MASTERS, User
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

_ROLES: dict[str, Kind[Any]] = {kind.key: kind for kind in (ROLE, CLUSTER_ROLE)}
_BINDINGS: dict[str, Kind[Any]] = {kind.key: kind for kind in (ROLE_BINDING, CLUSTER_ROLE_BINDING)}
_REMEMBERED = 10_000
"""Users whose rights are remembered until a role or a binding changes."""

_EVERYTHING = compiled(EVERYTHING)

ObjectKey = tuple[str, str, str]
"""Key of the kind, namespace, name."""


class RoleBindings:
    """As current as the mirror, to which it subscribes. What a change costs does not grow with their number.

    Attributes:
        changes: Counts the moments at which somebody's rights may have changed.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._roles: dict[ObjectKey, tuple[CompiledRule, ...]] = {}
        # By subject, the bindings that name it, each with its namespace and its role.
        self._bound: dict[SubjectKey, dict[ObjectKey, tuple[str, ObjectKey]]] = {}
        self._subjects: dict[ObjectKey, frozenset[SubjectKey]] = {}
        self._rights: dict[tuple[str, tuple[str, ...]], Rights] = {}
        self.changes = 0
        mirror.subscribe(self._changed, self._reload, (*_ROLES, *_BINDINGS))
        self._reload()

    def rights_of(self, user: User) -> Rights:
        """The rights of a user: those of every binding that names the user, or a group that the user belongs to."""
        key = (user.name, user.groups)
        known = self._rights.get(key)
        if known is None:
            if len(self._rights) >= _REMEMBERED:
                self._rights.clear()
            known = self._rights[key] = self._gathered(user)
        return known

    def rules_of(self, role: RoleRef, namespace: str) -> Sequence[CompiledRule] | None:
        """The rules of a role that a binding in a namespace names ("" for none); None if there is no such role."""
        return self._roles.get(_role_key(role, namespace))

    def allowing(self, user: User, request: Request) -> str:
        """The first binding that allows a request of a user, in words; "" if none does."""
        for key in keys_of(user):
            for (kind, _, name), (namespace, role) in self._bound.get(key, {}).items():
                rules = self._roles.get(role, ())
                rights = Rights((), {namespace: rules}) if namespace else Rights(rules)
                if rights.allows(request):
                    binding = f'{_BINDINGS[kind].name} "{name}{"/" if namespace else ""}{namespace}"'
                    return f'{binding} of {_ROLES[role[0]].name} "{role[2]}" to {key[0]} "{key[1]}"'
        return ""

    def _gathered(self, user: User) -> Rights:
        everywhere: dict[ObjectKey, None] = {}
        by_namespace: dict[str, dict[ObjectKey, None]] = {}
        for key in keys_of(user):
            for namespace, role in self._bound.get(key, {}).values():
                (by_namespace.setdefault(namespace, {}) if namespace else everywhere)[role] = None
        rules = self._rules(everywhere)
        if MASTERS in user.groups:
            rules = (*_EVERYTHING, *(each for each in rules if each not in _EVERYTHING))
        return Rights(rules, {namespace: self._rules(roles) for namespace, roles in by_namespace.items()})

    def _rules(self, roles: Iterable[ObjectKey]) -> tuple[CompiledRule, ...]:
        return tuple(rule for role in roles for rule in self._roles.get(role, ()))

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._forget(_key(change.entry))
            if change.type != "DELETED":
                self._learn(change.entry)
        self._forget_rights()

    def _reload(self) -> None:
        self._roles.clear()
        self._bound.clear()
        self._subjects.clear()
        for kind in (*_ROLES, *_BINDINGS):
            for entry in self._mirror.list(kind, None):
                self._learn(entry)
        self._forget_rights()

    def _forget_rights(self) -> None:
        self._rights.clear()
        self.changes += 1

    def _learn(self, entry: Entry) -> None:
        key = _key(entry)
        if entry.kind in _ROLES:
            self._roles[key] = compiled(decode_object(_ROLES[entry.kind], entry.wire).rules)
            return
        binding = decode_object(_BINDINGS[entry.kind], entry.wire)
        role = _role_key(binding.role_ref, entry.namespace)
        subjects = (subject_key(subject, entry.namespace) for subject in binding.subjects or ())
        self._subjects[key] = frozenset(subject for subject in subjects if subject is not None)
        for subject in self._subjects[key]:
            self._bound.setdefault(subject, {})[key] = (entry.namespace, role)

    def _forget(self, key: ObjectKey) -> None:
        self._roles.pop(key, None)
        for subject in self._subjects.pop(key, ()):
            bindings = self._bound[subject]
            del bindings[key]
            if not bindings:
                del self._bound[subject]


def _key(entry: Entry) -> ObjectKey:
    return (entry.kind, entry.namespace, entry.name)


def _role_key(role: RoleRef, namespace: str) -> ObjectKey:
    """The role that a binding names: a Role is in the namespace of the binding, a ClusterRole in none."""
    if role.kind == ROLE.name:
        return (ROLE.key, namespace, role.name)
    return (CLUSTER_ROLE.key, "", role.name)
