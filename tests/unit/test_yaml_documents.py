import pytest

from app.domain.documents import yaml_documents
from app.domain.documents.paths import path_text
from app.domain.documents.yaml_documents import parse_yaml, parse_yaml_documents
from app.domain.errors import BadRequest


def parsed(text):
    return parse_yaml(text.encode(), 50)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("+1", 1),
        ("-17", -17),
        ("017", 15),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("80.0", 80),
        ("1e3", 1000),
        ("1.5", 1.5),
        (".5", 0.5),
        ("08", 8),
        ("_1", "_1"),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("fd00::1", "fd00::1"),
        ("10.96.0.1", "10.96.0.1"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("yes", True),
        ("off", False),
        ("true", True),
        ("'true'", "true"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("!thing x", "x"),
        ("~", None),
        ("null", None),
        ("", None),
        ("[1, a, {b: c}]", [1, "a", {"b": "c"}]),
        ("{1: a, true: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
        ('{"json": "is yaml", "too": [null, false]}', {"json": "is yaml", "too": [None, False]}),
    ],
)
def test_scalars_are_those_of_the_api_server(text, value):
    result = parsed(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "text",
    ["{", "a: b: c", "\t- x", "a: .inf", "a: .nan", "a: 1e999", "[a]: b", "~: x", "a: *missing", "a: !!timestamp x",
     "<<: 1", "\x00", "- " * 200, "{a: " * 200],
)  # fmt: skip
def test_what_cannot_be_json_is_a_bad_request(text):
    with pytest.raises(BadRequest):
        parsed(text)


def test_invalid_utf8_is_a_bad_request():
    with pytest.raises(BadRequest):
        parse_yaml(b"a: \xff", 50)


def test_duplicate_keys_are_named_and_the_last_one_counts():
    document, duplicates = parse_yaml(b"a: {b: 1, b: 2}\nc: [{d: 1, d: 2, d: 3}]\n", 50)
    assert document == {"a": {"b": 2}, "c": [{"d": 3}]}
    assert [path_text(path) for path in duplicates] == ["a.b", "c[0].d"]


def test_anchors_aliases_and_merge_keys():
    document = parsed("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: [*b, *b]\n")
    assert document["use"] == {"x": 1, "y": 3}
    assert document["list"] == [{"x": 1, "y": 2}] * 2
    assert document["list"][0] is not document["list"][1]


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    with pytest.raises(BadRequest, match="aliases"):
        parsed("\n".join(lines))


def test_only_the_first_document_counts_unless_all_are_asked_for():
    assert parsed("a: 1\n---\nb: 2\n") == {"a": 1}
    assert [document for document, _ in parse_yaml_documents(b"a: 1\n---\nb: 2\n---\n", 50)] == [
        {"a": 1},
        {"b": 2},
        None,
    ]
    assert parse_yaml(b"# nothing\n", 50) == (None, [])


def test_aliases_may_repeat_a_megabyte_of_text_and_no_more():
    text = "x" * 100_000
    assert parsed(f"a: &a {text}\nb: [{', '.join(['*a'] * 10)}]")["b"] == [text] * 10
    with pytest.raises(BadRequest, match="characters"):
        parsed(f"a: &a {text}\nb: [{', '.join(['*a'] * 11)}]")


def test_the_aliases_of_all_documents_of_a_stream_count_together():
    document = f"a: &a {'x' * 500_000}\nb: *a\n"
    assert len(list(parse_yaml_documents("---\n".join([document] * 2).encode(), 50))) == 2
    with pytest.raises(BadRequest, match="characters"):
        list(parse_yaml_documents("---\n".join([document] * 3).encode(), 50))


def test_an_alias_is_nested_as_deeply_as_what_it_stands_for():
    deep = "[" * 30 + "1" + "]" * 30
    assert parsed(f"a: &a {deep}\nb: [[*a]]")["b"][0][0][0] == parsed(deep)[0]
    with pytest.raises(BadRequest, match="levels deep"):
        parsed(f"a: &a {deep}\nb: {'[' * 30}*a{']' * 30}")


def test_the_first_of_merged_mappings_counts_and_what_is_written_out_before_them():
    assert parsed("{x: 1, <<: [{x: 2, y: 2}, {y: 3, z: 3}]}") == {"x": 1, "y": 2, "z": 3}


def test_tags_are_short_and_their_prefixes_few():
    assert parsed("%TAG !e! tag:example.com,2026:\n--- {a: !e!x 1}\n") == {"a": "1"}
    for prefix in ("tag:", "tag:yaml.org,2002:"):
        with pytest.raises(BadRequest, match="a tag has more"):
            parsed(f"%TAG !e! {prefix}{'x' * 300}\n--- {{a: !e!x 1}}\n")
    directives = "".join(f"%TAG !e{index}! tag:x\n" for index in range(101))
    with pytest.raises(BadRequest, match="directives"):
        parsed(f"{directives}--- 1\n")
    assert parsed("a: |\n" + "  %TAG\n" * 200)["a"].startswith("%TAG")


def test_the_number_of_values_is_limited(monkeypatch):
    monkeypatch.setattr(yaml_documents, "MAX_VALUES", 5)
    assert parsed("[a, b, c, d]") == ["a", "b", "c", "d"]
    with pytest.raises(BadRequest, match="values"):
        parsed("[a, b, c, d, e]")
