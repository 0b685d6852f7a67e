"""The models of meta/v1 that are no objects: what requests and answers carry besides objects."""

from msgspec import field

from app.domain.documents.wire import Int32, Int64, Wire


class ListMeta(Wire):
    """Metadata of a list.

    Attributes:
        self_link: Not used any more.
        resource_version: The revision of the whole list.
        continue_: The parameter `continue` for the next page; empty on the last page.
        remaining_item_count: The number of objects on the following pages, if it is known.
    """

    self_link: str = ""
    resource_version: str = ""
    continue_: str = ""
    remaining_item_count: Int64 | None = None


class StatusCause(Wire):
    """One cause of a failure.

    Attributes:
        reason: The kind of cause, as one word in CamelCase.
        message: The cause in words for people.
        field: The path of the field that is wrong.
    """

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire):
    """The object that a Status is about, and the causes of a failure.

    Attributes:
        name: The name of the object.
        group: The API group of the object.
        kind: The resource or the kind of the object.
        uid: The uid of the object.
        causes: All causes of the failure.
        retry_after_seconds: Seconds after which the request can be sent again.
    """

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: Int32 = 0


class Status(Wire):
    """The answer to every request that fails, and to some that succeed without an object to return.

    Attributes:
        kind: Always Status.
        api_version: Always v1.
        metadata: Not used.
        status: Success or Failure.
        message: What happened, in words for people.
        reason: Why the request failed, as one word in CamelCase.
        details: The object and the causes.
        code: The HTTP status.
    """

    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = field(default_factory=ListMeta)
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: Int32 = 0


class Preconditions(Wire):
    """Conditions under which an object is deleted.

    Attributes:
        uid: The uid that the object must have.
        resource_version: The revision that the object must have.
    """

    uid: str | None = None
    resource_version: str | None = None


class DeleteOptionsBody(Wire):
    """How an object is deleted.

    Attributes:
        api_version: v1, or left out.
        kind: DeleteOptions, or left out.
        grace_period_seconds: Seconds that the object may take to end; objects of this server take none.
        preconditions: The object is deleted only under these conditions.
        orphan_dependents: The older form of propagationPolicy; true for Orphan, false for Background.
        propagation_policy: What happens to the objects that this one owns (Background, Foreground or Orphan).
        dry_run: All for an answer without a deletion.
        ignore_store_read_error_with_cluster_breaking_potential: Not used; every stored object can be read.
    """

    api_version: str = ""
    kind: str = ""
    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: list[str] | None = None
    ignore_store_read_error_with_cluster_breaking_potential: bool | None = None
