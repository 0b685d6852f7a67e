import json
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.declarations.catalog import ALL
from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness, decode, to_document
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, schema_of
from app.domain.errors import ApiError
from tests.unit.rule_runner import CLUSTER, NOW

KINDS = [kind for kind in ALL if kind is not SERVICE]

WORDS = [
    "web", "A_b", "10.0.0.1", "010.0.0.1", "fd00::1", "FD00::1", "::ffff:1.2.3.4", "10.0.0.0/8", "TCP", "IPv4", "IPv6",
    "FQDN", "Ready", "True", "example.com", "example.com/x", "kubernetes", "Always", "..", "é", "", "\x00", "a" * 300,
]  # fmt: skip
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
numbers = st.one_of(st.sampled_from([0, 1, -1, 80, 65535, 65536, 2**31 - 1]), st.integers(-(2**31), 2**31 - 1))

FORMATTED = {
    "date-time": st.sampled_from([NOW, "2026-01-01T00:00:00.5+02:00"]),
    "byte": st.one_of(st.binary(max_size=5).map(lambda value: b64encode(value).decode()), texts),
}


def documents(of):
    match of:
        case ScalarType():
            by_name = {"integer": numbers, "number": numbers, "boolean": st.booleans()}
            return FORMATTED.get(of.format, by_name.get(of.names[0], texts))
        case ListType(item=item):
            return st.lists(documents(item), max_size=3)
        case MapType(value=value):
            return st.dictionaries(texts, documents(value), max_size=2)
        case AnyType():
            return st.one_of(texts, numbers, st.none(), st.lists(texts, max_size=2))
        case StructType(fields=fields):
            optional = {name: st.one_of(st.none(), documents(field.type)) for name, field in fields.items()}
            return st.fixed_dictionaries({}, optional=optional)


def parsed(kind, document):
    obj, _ = decode(kind.model, document, strictness=Strictness.IGNORE)
    obj.api_version, obj.kind = kind.api_version, kind.name
    return obj


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_no_document_breaks_the_rules_or_the_columns(kind, data):
    written = data.draw(documents(schema_of(kind.model)))
    try:
        new, old = parsed(kind, written), parsed(kind, {**written, "metadata": {}})
    except ApiError:
        return
    strategy = kind.strategy
    strategy.default(new)
    strategy.prepare_create(new, CLUSTER)
    causes = strategy.validate_create(new, CLUSTER)
    assert all(cause.field and cause.message for cause in causes)
    # Warnings are about objects that were accepted.
    assert causes or all(isinstance(text, str) for text in strategy.warnings(new, None, CLUSTER))
    assert all(column.cell(new, NOW) is not None for column in kind.columns)
    assert all(isinstance(read(new), str) for read in kind.selectable.values())
    json.dumps(to_document(new))
    changed = parsed(kind, written)
    strategy.default(changed)
    strategy.prepare_update(changed, old, CLUSTER)
    strategy.validate_update(changed, old, CLUSTER)
    if kind.has_status:
        changed = parsed(kind, written)
        strategy.default(changed)
        strategy.prepare_status(changed, old, CLUSTER)
        strategy.validate_status(changed, old, CLUSTER)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_was_accepted_is_accepted_again_and_stays_the_same(kind, data):
    try:
        stored = parsed(kind, data.draw(documents(schema_of(kind.model))))
    except ApiError:
        return
    strategy = kind.strategy
    strategy.default(stored)
    strategy.prepare_create(stored, CLUSTER)
    if strategy.validate_create(stored, CLUSTER):
        return
    again = parsed(kind, to_document(stored))
    strategy.default(again)
    strategy.prepare_update(again, stored, CLUSTER)
    assert strategy.validate_update(again, stored, CLUSTER) == []
    assert to_document(again) == to_document(stored)
