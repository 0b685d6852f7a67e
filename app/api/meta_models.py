"""The parts of meta/v1 that are no objects: what requests and answers carry beside them."""

from msgspec import field

from app.domain.documents.wire import Int32, Int64, Wire


class ListMeta(Wire):
    """Metadata of a list.

    Attributes:
        self_link: Not served any more.
        resource_version: The revision that the whole list shows.
        continue_: Where the next page starts, if this is not the last.
        remaining_item_count: How many objects are on the pages after this one, if known.
    """

    self_link: str = ""
    resource_version: str = ""
    continue_: str = ""
    remaining_item_count: Int64 | None = None


class StatusCause(Wire):
    """One reason for a failure.

    Attributes:
        reason: CamelCase, for machines.
        message: For people.
        field: The field at fault, as a path.
    """

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire):
    """What a Status is about.

    Attributes:
        name: Of the object.
        group: Of its kind.
        kind: Its resource or kind.
        uid: Of the object.
        causes: Everything that was wrong, not only the first.
        retry_after_seconds: After how long it is worth trying again.
    """

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: Int32 = 0


class Status(Wire):
    """The answer of every request that fails, and of some that succeed without an object to show.

    Attributes:
        kind: Status.
        api_version: v1.
        metadata: Nothing of use here.
        status: `Success` or `Failure`.
        message: For people.
        reason: CamelCase, for machines; tells more than the code.
        details: What it is about.
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
    """What must hold of an object for it to be deleted.

    Attributes:
        uid: The object's uid.
        resource_version: The object's revision.
    """

    uid: str | None = None
    resource_version: str | None = None


class DeleteOptionsBody(Wire):
    """DeleteOptions as the wire has them.

    Attributes:
        api_version: v1, or left out.
        kind: DeleteOptions, or left out.
        grace_period_seconds: How long the object may take to end in order; nothing here needs any time.
        preconditions: What must hold of the object, or it is not deleted.
        orphan_dependents: The older form of `propagationPolicy`: true for Orphan, false for Background.
        propagation_policy: What becomes of objects it owns: Background, Foreground or Orphan.
        dry_run: All to answer without deleting.
        ignore_store_read_error_with_cluster_breaking_potential: Not used: there are no unreadable objects here.
    """

    api_version: str = ""
    kind: str = ""
    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: list[str] | None = None
    ignore_store_read_error_with_cluster_breaking_potential: bool | None = None
