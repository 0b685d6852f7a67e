"""The data planes, as the DataPlane objects of this moment say."""

from collections.abc import Sequence

from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.documents.encoding import decode_object
from app.domain.rules.data_plane import DescribedPlane, described_plane
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror


class DescribedPlanes:
    """As current as the mirror, to which it subscribes.

    Attributes:
        planes: In the order of their names.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._by_name: dict[str, DescribedPlane] = {}
        self.planes: tuple[DescribedPlane, ...] = ()
        mirror.subscribe(self._changed, self._reload, [DATA_PLANE.key])
        self._reload()

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.type == "DELETED":
                self._by_name.pop(change.entry.name, None)
            else:
                self._learn(change.entry)
        self._put()

    def _reload(self) -> None:
        self._by_name = {}
        for entry in self._mirror.list(DATA_PLANE.key, None):
            self._learn(entry)
        self._put()

    def _learn(self, entry: Entry) -> None:
        self._by_name[entry.name] = described_plane(decode_object(DATA_PLANE, entry.wire))

    def _put(self) -> None:
        self.planes = tuple(self._by_name[name] for name in sorted(self._by_name))
