"""Whom a binding names, and as whom a user is named."""

from app.domain.kinds.role_binding import Subject
from app.domain.rules.role_binding import ACCOUNT, GROUP, USER
from app.domain.user import User, account_user

SubjectKey = tuple[str, str]
"""`User` or `Group`, and the name."""


def subject_key(subject: Subject, namespace: str) -> SubjectKey | None:
    """As what a subject is looked up; None for one that is nobody.

    Args:
        subject: A subject of a binding. A ServiceAccount is the user of that account.
        namespace: That of the binding, "" for a ClusterRoleBinding: the namespace of an account that names none.
    """
    if subject.kind == ACCOUNT:
        home = subject.namespace or namespace
        return (USER, account_user(home, subject.name).name) if home else None
    return (subject.kind, subject.name) if subject.kind in (USER, GROUP) else None


def keys_of(user: User) -> list[SubjectKey]:
    """As what a user may be a subject: by name, and by each group."""
    return [(USER, user.name), *((GROUP, group) for group in user.groups)]
