"""The declaration of DataPlane."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.data_plane import DataPlane
from app.domain.rules.data_plane import CONNECTED, CURRENT


def _condition(type_: str, description: str) -> Column[DataPlane]:
    def cell(plane: DataPlane, _now: str) -> str:
        return next((each.status for each in plane.status.conditions or [] if each.type == type_), "Unknown")

    return Column(type_, cell, description=description)


DATA_PLANE = Kind(
    group="fairlead.io",
    version="v1",
    name="DataPlane",
    plural="dataplanes",
    singular="dataplane",
    namespaced=False,
    model=DataPlane,
    schema="io.fairlead.v1.DataPlane",
    columns=(
        NAME,
        Column("Type", lambda plane, _now: plane.spec.type, description="Envoy or HAProxy."),
        Column("Node", lambda plane, _now: plane.spec.node or "<none>", description="The Node that it runs on."),
        _condition(CONNECTED, "Whether it can be told of changes."),
        _condition(CURRENT, "Whether it has taken over all changes."),
        Column("Revision", lambda plane, _now: plane.status.revision, type="integer", description="Taken over so far."),
        Column(
            "Services", lambda plane, _now: plane.status.services, type="integer", description="Services it serves."
        ),
        Column(
            "Rejected",
            lambda plane, _now: plane.status.rejected_count,
            type="integer",
            description="What it does not serve.",
        ),
        AGE,
        Column("Version", lambda plane, _now: plane.status.version, priority=1, description="Program and version."),
        Column("Scopes", lambda plane, _now: ",".join(plane.spec.scopes or []), priority=1, description="It serves."),
    ),
    short_names=("dp",),
    selectable={"spec.type": lambda plane: plane.spec.type, "spec.node": lambda plane: plane.spec.node},
    verbs=("get", "list", "watch", "delete", "deletecollection"),
)
