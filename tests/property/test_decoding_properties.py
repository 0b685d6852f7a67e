import json

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.documents.decoding import (
    MAX_DEPTH,
    Strictness,
    decode,
    decode_json,
    decode_yaml,
    parse_json,
    to_document,
)
from app.domain.documents.yaml_documents import parse_yaml
from app.domain.errors import BadRequest
from app.domain.kinds.service import Service
from app.domain.selectors import parse_field_selector, parse_label_selector
from tests.property.service_documents import ANY_JSON, SERVICES, attempt, spoilt_services

STRICTNESS = st.sampled_from(Strictness)
SPACES = st.sampled_from([None, (",", ":"), (", ", ": "), (" ,\n", " :\t")])


def written(document, spaces=None, *, ascii_only=True):
    return json.dumps(document, separators=spaces, ensure_ascii=ascii_only).encode(errors="surrogatepass")


def check_result(service, warnings):
    """Whatever was decoded can be encoded, and reads back the same without any surprise."""
    again, more = decode_json(Service, msgspec.json.encode(service), strictness=Strictness.STRICT)
    assert (again, more) == (service, [])
    assert all(warning.startswith(("unknown field", "duplicate field")) for warning in warnings)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), STRICTNESS)
def test_arbitrary_bytes_are_decoded_or_refused(data, strictness):
    for decoder in (decode_json, decode_yaml):
        result, error = attempt(lambda decoder=decoder: decoder(Service, data, strictness=strictness))
        if error is None:
            check_result(*result)
        else:
            assert isinstance(error, BadRequest)


@given(ANY_JSON | spoilt_services(), STRICTNESS, SPACES, st.booleans())
def test_arbitrary_documents_are_decoded_or_refused(document, strictness, spaces, ascii_only):
    data = written(document, spaces, ascii_only=ascii_only)
    result, error = attempt(lambda: decode_json(Service, data, strictness=strictness))
    if error is None:
        check_result(*result)
    else:
        assert isinstance(error, BadRequest)


@given(SERVICES, SPACES, st.booleans())
def test_the_fast_way_and_the_slow_way_agree(document, spaces, ascii_only):
    data = written(document, spaces, ascii_only=ascii_only)
    parsed, duplicates = parse_json(data)
    assert (parsed, duplicates) == (document, [])
    fast = decode_json(Service, data, strictness=Strictness.STRICT)
    assert fast == decode(Service, parsed, strictness=Strictness.STRICT)
    assert to_document(fast[0]).items() >= {"apiVersion": "v1", "kind": "Service"}.items()


@given(SERVICES, SPACES, st.data())
def test_no_duplicate_goes_unnoticed(document, spaces, data):
    """Write one member of one object twice, at any depth, and it is reported."""
    text = written(document, spaces).decode()
    members = [(start, end) for start, end in _members(text) if text[start:end].strip()]
    start, end = data.draw(st.sampled_from(members))
    doubled = f"{text[:end]},{text[start:end]}{text[end:]}".encode()
    service, warnings = decode_json(Service, doubled, strictness=Strictness.WARN)
    assert len(warnings) == 1
    assert warnings[0].startswith("duplicate field")
    assert service == decode_json(Service, text.encode(), strictness=Strictness.WARN)[0]


def _members(text):
    """Where each `"name": value` of a JSON text starts and ends."""
    decoder = json.JSONDecoder()
    for at in range(len(text)):
        if text[at] == '"' and text[:at].rstrip()[-1:] in ("{", ","):
            try:
                _, after = decoder.raw_decode(text, at)
                colon = after + len(text[after:]) - len(text[after:].lstrip())
                if text[colon] != ":":
                    continue
                value = colon + 1 + len(text[colon + 1 :]) - len(text[colon + 1 :].lstrip())
                yield at, decoder.raw_decode(text, value)[1]
            except (ValueError, IndexError):
                continue


@given(ANY_JSON)
def test_json_is_yaml(document):
    data = json.dumps(document, ensure_ascii=True).encode()
    assume(b"\\ud" not in data)
    assert parse_yaml(data, MAX_DEPTH)[0] == parse_json(data)[0]


@given(st.text(max_size=30) | st.text("ab=!(), innot<>1./-\\", max_size=30))
def test_arbitrary_selectors_are_parsed_or_refused(text):
    for parse in (parse_label_selector, lambda given: parse_field_selector(given, ("a", "b"))):
        _, error = attempt(lambda parse=parse: parse(text))
        assert error is None or isinstance(error, BadRequest)


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "x", "y", "1", "2"]), max_size=3)
TERMS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["=", "==", "!=", "in", "notin", "exists", "!", ">", "<"]),
        st.lists(st.sampled_from(["", "x", "y", "in"]), min_size=1, max_size=3),
        st.integers(0, 3),
    ),
    max_size=4,
)


def term_text(key, operator, values, number):
    match operator:
        case "in" | "notin":
            return f"{key} {operator} ({','.join(values)})"
        case "exists":
            return key
        case "!":
            return f"!{key}"
        case ">" | "<":
            return f"{key}{operator}{number}"
        case _:
            return f"{key} {operator} {values[0]}"


def term_holds(labels, key, operator, values, number):
    value = labels.get(key)
    compared = int(value) - number if (value or "").isdigit() else 0
    return {
        "in": value in values,
        "notin": value not in values,
        "exists": key in labels,
        "!": key not in labels,
        ">": compared > 0,
        "<": compared < 0,
        "!=": value != values[0],
    }.get(operator, value == values[0])


@given(TERMS, LABELS)
def test_a_label_selector_means_what_its_terms_mean(terms, labels):
    selector = parse_label_selector(", ".join(term_text(*term) for term in terms))
    assert selector.matches(labels) == all(term_holds(labels, *term) for term in terms)
