"""The rules of a ConfigMap (ValidateConfigMap of the API server)."""

from app.domain.errors import Cause, invalid, too_long
from app.domain.kinds.config_map import ConfigMap
from app.domain.rules.cluster import Cluster
from app.domain.rules.keyed_data import MAX_DATA_BYTES, frozen_causes, key_causes
from app.domain.rules.strategy import Strategy


class ConfigMapStrategy(Strategy[ConfigMap]):
    """Keys are valid file names, no key is in both maps, and all values together have at most a mebibyte."""

    def validate_create(self, new: ConfigMap, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        data, binary = new.data or {}, new.binary_data or {}
        causes = [*key_causes("data", data), *key_causes("binaryData", binary)]
        causes += [
            invalid(f"data[{key}]", key, "is also a key of binaryData; a key must be in one of them only")
            for key in data
            if key in binary
        ]
        if sum(len(text.encode()) for text in data.values()) + sum(map(len, binary.values())) > MAX_DATA_BYTES:
            causes.append(too_long("", MAX_DATA_BYTES))
        return causes

    def validate_update(self, new: ConfigMap, old: ConfigMap, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong or can no longer be changed."""
        pairs = {"data": (new.data, old.data), "binaryData": (new.binary_data, old.binary_data)}
        changed = [field for field, (is_, was) in pairs.items() if is_ != was]
        frozen = frozen_causes(was=old.immutable, stays=new.immutable, changed=changed)
        return [*frozen, *self.validate_create(new, cluster)]
