"""The declaration of ConfigMap."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.config_map import ConfigMap
from app.domain.rules.config_map import ConfigMapStrategy

CONFIG_MAP = Kind(
    group="",
    version="v1",
    name="ConfigMap",
    plural="configmaps",
    singular="configmap",
    namespaced=True,
    model=ConfigMap,
    schema="io.k8s.api.core.v1.ConfigMap",
    columns=(
        NAME,
        Column(
            "Data",
            lambda config_map, _now: len(config_map.data or ()) + len(config_map.binary_data or ()),
            description="How many keys it has.",
        ),
        AGE,
    ),
    strategy=ConfigMapStrategy(),
    short_names=("cm",),
)
