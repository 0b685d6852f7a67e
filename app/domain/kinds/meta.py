"""Parts that several kinds share (meta/v1, core/v1)."""

from typing import Annotated

from msgspec import field

from app.domain.documents.wire import CONDITION_STATUS, Int64, Time, Wire, null


class Condition(Wire):
    """One aspect of an object's status (meta/v1 Condition).

    Attributes:
        type: The name of the condition, in CamelCase.
        status: True, False or Unknown.
        observed_generation: The generation of the object that the condition was written for.
        last_transition_time: When `status` last changed.
        reason: Why the status is what it is, as one word in CamelCase.
        message: The same in a sentence, for people.
    """

    required = ("type", "status", "last_transition_time", "reason", "message")

    type: str = field(default_factory=str)
    status: Annotated[str, CONDITION_STATUS] = field(default_factory=str)
    observed_generation: Int64 | None = None
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = field(default_factory=str)
    message: str = field(default_factory=str)


class ObjectReference(Wire):
    """A pointer to another object.

    Attributes:
        kind: Kind of the object.
        namespace: Of the object.
        name: Of the object.
        uid: Of the object.
        api_version: Group and version of the object.
        resource_version: The revision of the object that is meant.
        field_path: The part of the object that is meant, such as spec.containers{web}.
    """

    atomic = True

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""


class FieldSelectorRequirement(Wire):
    """One requirement on a field (meta/v1).

    Attributes:
        key: The field.
        operator: In, NotIn, Exists or DoesNotExist.
        values: Values of the field; none for Exists and DoesNotExist.
    """

    required = ("key", "operator")

    key: str = field(default_factory=str)
    operator: str = field(default_factory=str)
    values: list[str] | None = None


class LabelSelectorRequirement(Wire):
    """One requirement on a label (meta/v1).

    Attributes:
        key: The label.
        operator: In, NotIn, Exists or DoesNotExist.
        values: Values of the label; none for Exists and DoesNotExist.
    """

    required = ("key", "operator")

    key: str = field(default_factory=str)
    operator: str = field(default_factory=str)
    values: list[str] | None = None


class LabelSelector(Wire):
    """Chooses objects by their labels (meta/v1). All terms must hold; without any, every object is chosen.

    Attributes:
        match_labels: Labels with the value that each must have.
        match_expressions: Requirements on labels.
    """

    atomic = True

    match_labels: dict[str, str] | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None
