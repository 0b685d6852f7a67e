"""The declaration of a kind, from which routes, discovery, OpenAPI, Table output and storage follow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

from app.domain.documents.objects import ObjectT
from app.domain.errors import Cause
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.metadata import NameRule
from app.domain.rules.strategy import Strategy

Cell = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Column(Generic[ObjectT]):
    """One column of `kubectl get`.

    Attributes:
        name: Heading.
        cell: Computes the cell from the object; `now` is RFC 3339.
        type: OpenAPI type of the cell.
        format: `name` marks the column that names the row.
        description: Shown by clients that explain columns.
        priority: 0 always shown, 1 only with `-o wide`.
    """

    name: str
    cell: Callable[[ObjectT, str], Cell]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class View(Generic[ObjectT]):
    """Another shape of objects that are stored as some other kind: one store, two API versions.

    Identity, resourceVersion and everything else in metadata are the stored object's.

    Attributes:
        stored: Key of the kind they are stored under.
        read: Shows a stored object in this shape; the stored object is not changed.
        write: Turns this shape back into what is stored; nothing is lost on the way there and back.
    """

    stored: str
    read: Callable[[Any], ObjectT]
    write: Callable[[ObjectT], Any]


@dataclass(frozen=True, slots=True)
class Derivation(Generic[ObjectT]):
    """How objects of a kind are computed from stored ones, each from one source and perhaps some parts of it.

    Attributes:
        source: Key of the kind of the sources.
        derive: Computes the objects of one source, given its parts.
        source_name: Tells from an object's name the name of its source, in the same namespace; "" where `claim` tells.
        claim: Tells from an object's name the claim that its source holds; None where no object can have that name.
        parts: Key of the kind of the parts, or "".
        part_label: The label by which a part names its source, in the same namespace.
        neighbours: Answers, of a source before or after a change, which other sources the change may concern: their
            namespaces and names.
        surroundings: Key of a cluster-scoped kind whose changes may concern many sources, or "".
        touched: Answers, of an object of that kind before and after a change, None where there is none, texts of
            which one is mentioned by each source that it concerns, or by a part of it; none if it concerns nothing.
    """

    source: str
    derive: Callable[[Any, Sequence[Any], Cluster], Sequence[ObjectT]]
    source_name: Callable[[str], str] = lambda _name: ""
    claim: Callable[[str], Claim | None] = lambda _name: None
    parts: str = ""
    part_label: str = ""
    neighbours: Callable[[Any, Cluster], Iterable[tuple[str, str]]] = lambda _source, _cluster: ()
    surroundings: str = ""
    touched: Callable[[Any, Any], Sequence[str]] = lambda _before, _after: ()


DefaultRole = Literal["view", "edit", "admin"]
"""The default roles for people who work in a namespace, each with the rights of those before it."""


@dataclass(frozen=True, slots=True)
class Grants:
    """Which of the default roles gives which rights on the objects of a kind. `cluster-admin` gives all of them.

    Attributes:
        readers: The least role that may read them and their subresources; None if no role but cluster-admin.
        writers: The least role that may use all other verbs of the kind; None if no role but cluster-admin.
        verbs: What writers may do besides, with verbs that stand for no request, such as `impersonate`.
    """

    readers: DefaultRole | None = None
    writers: DefaultRole | None = None
    verbs: tuple[str, ...] = ()


TEAM = Grants("view", "edit")
"""What a team works with in its namespace, and everybody in it may see."""
SEEN = Grants("view")
"""What everybody in a namespace may see, and the system or its administrators write."""
CONFIDENTIAL = Grants("edit", "edit")
"""What shows more than everybody in a namespace may see."""
OF_ADMINS = Grants("admin", "admin")
"""What says who has which rights in a namespace."""
OF_THE_CLUSTER = Grants()
"""What no namespace's role is about."""


@dataclass(frozen=True, slots=True)
class Subresource(Generic[ObjectT]):
    """A path below an object, beside `/status`.

    Attributes:
        name: Last segment of the path, `finalize`.
        verbs: What it offers.
        prepare: Restores in `new` what a write through it may not change.
        validate: Names every field that is wrong in such a write.
        carries: The kind of what is sent to it and answered, where that is not the object itself. Nothing is stored of
            it, and `prepare` and `validate` are never called.
        writers: The least default role that may use its verbs other than `get`; None if no role but cluster-admin.
    """

    name: str
    verbs: tuple[str, ...]
    prepare: Callable[[ObjectT, ObjectT, Cluster], None] = lambda _new, _old, _cluster: None
    validate: Callable[[ObjectT, ObjectT, Cluster], list[Cause]] = lambda _new, _old, _cluster: []
    carries: "Kind[Any] | None" = None
    writers: DefaultRole | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[ObjectT]):
    """One kind of object; there is one declaration of each, so it equals only itself.

    Attributes:
        group: API group, "" for core.
        version: API version.
        name: The kind as the wire has it, `Service`.
        plural: Resource name in paths, `services`.
        singular: For clients that accept it, `service`.
        namespaced: Whether objects live in a namespace.
        model: The Struct of one object.
        schema: Kubernetes' OpenAPI name, `io.k8s.api.core.v1.Service`.
        columns: Table columns, in order.
        strategy: The kind's rules.
        short_names: e.g. `svc`.
        categories: e.g. `all`.
        selectable: Field labels beside `metadata.name` and `metadata.namespace`, with how to read each.
        found_by: What a search finds an object by, beside its namespace, labels and columns.
        verbs: What the API offers.
        has_status: Whether `/status` exists.
        create_on_update: Whether PUT of a missing object creates it.
        delete_returns_object: Whether DELETE answers the object; else a Status.
        unconditional_update: Whether PUT without a resourceVersion is accepted; else a 422 asks for it.
        subresources: Paths below an object beside `/status`.
        deprecation: Text of the Warning header that every request for the kind is answered with, or "".
        view: For a kind that shows another kind's stored objects in its own shape.
        name_rule: How names are checked: `dns_label`, `dns_subdomain`, or `any_path_segment`.
        derivation: For a kind whose objects are computed; those that clients may create are stored beside them.
        confidential: Whether its objects hold secrets, so that they are encrypted where they are stored and never
            written into the audit log.
        archived: Whether its objects are read from a table of their own, and never change in the log.
        grants: What the default roles allow; None is `TEAM` for a kind that lives in a namespace, else
            `OF_THE_CLUSTER`.
    """

    group: str
    version: str
    name: str
    plural: str
    singular: str
    namespaced: bool
    model: type[ObjectT]
    schema: str
    columns: Sequence[Column[ObjectT]]
    strategy: Strategy[ObjectT] = field(default_factory=Strategy)
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    selectable: Mapping[str, Callable[[ObjectT], str]] = field(default_factory=dict)
    found_by: Callable[[ObjectT], Iterable[str]] = lambda _obj: ()
    verbs: tuple[str, ...] = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
    has_status: bool = False
    create_on_update: bool = False
    delete_returns_object: bool = False
    unconditional_update: bool = True
    subresources: tuple[Subresource[ObjectT], ...] = ()
    deprecation: str = ""
    view: View[ObjectT] | None = None
    name_rule: NameRule = "dns_subdomain"
    derivation: Derivation[ObjectT] | None = None
    confidential: bool = False
    archived: bool = False
    grants: Grants | None = None

    @property
    def default_grants(self) -> Grants:
        """What the default roles allow."""
        return self.grants or (TEAM if self.namespaced else OF_THE_CLUSTER)

    @property
    def key(self) -> str:
        """The name it is stored under: `services`, `endpointslices.discovery.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def stored(self) -> bool:
        """Whether there are rows of it: some or all of its objects are neither computed nor another kind's."""
        return self.view is None and not self.archived and (self.derivation is None or "create" in self.verbs)

    @property
    def api_version(self) -> str:
        """`v1`, `discovery.k8s.io/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def carried_by(self, subresource: str) -> "Kind[Any]":
        """The kind of what is sent to a subresource and answered: mostly this one."""
        carried = (each.carries for each in self.subresources if each.name == subresource)
        return next(carried, None) or self


def with_carried(kinds: Iterable[Kind[Any]]) -> Iterator[Kind[Any]]:
    """Kinds, each followed by those that only its subresources take."""
    for kind in kinds:
        yield kind
        yield from (each.carries for each in kind.subresources if each.carries is not None)
