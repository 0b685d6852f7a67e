"""Bodies of one form each that are meant to cost more than they weigh; see `adversarial` for JSON of any kind.

Each shape makes a text, or bytes, of about a given length.
"""

import json

from tests.property.adversarial import list_of, repeated


def numbered(text, length):
    return [text.replace("#", str(index)) for index in range(length // len(text))]


def members(text, length):
    return "{" + ",".join(numbered(text, length)) + "}"


def items(text, length):
    return "[" + ",".join(numbered(text, length)) + "]"


YAML_SHAPES = {
    "a long text, repeated": lambda length: f"a: &a {'x' * (length // 2)}\nb: [{repeated('*a', length // 2)}]",
    "a list, repeated": lambda length: f"a: &a [{repeated('1', length // 2)}]\nb: [{repeated('*a', length // 2)}]",
    "texts doubled each time": lambda length: "\n".join(
        ["a0: &a0 " + "x" * 100, *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, length // 24))]
    ),
    "merged maps": lambda length: (
        f"{{{', '.join(numbered('k#: 0', length // 2))}, <<: [{repeated('{}', length // 2)}]}}"
    ),
    "a long tag": lambda length: f"%TAG !e! tag:{'x' * (length // 2)}\n--- [{repeated('!e!a 1', length // 2)}]",
    "tag directives": lambda length: "\n".join(numbered("%TAG !a#! x", length)) + "\n--- 1",
    "documents": lambda length: repeated("--- {a: 1, a: 2}", length, "\n"),
    "documents with aliases": lambda length: repeated("--- [&a [1,1,1,1], *a, *a]", length, "\n"),
    "indented": lambda length: repeated("- - - - - a: 1", length, "\n"),
    "opened and not closed": lambda length: "[" * length,
    "comments": lambda length: "#\n" * (length // 2) + "a: 1",
    "a long anchor": lambda length: f"a: &{'x' * length} 1",
    "duplicates": lambda length: repeated("a: {b: 1, b: 2}", length, "\n"),
}


KEY, CONTAINER, VARIABLE = '"k#"', '{"name":"c#"}', '{"name":"e#"}'
NO_VARIABLES = '{"name":"c","env":[]}'


def containers(text):
    return f'{{"spec":{{"containers":{text}}}}}'


def ordered_containers(length):
    listed = items(CONTAINER, length // 2)
    return f'{{"spec":{{"$setElementOrder/containers":{listed},"containers":{listed}}}}}'


def retained_keys(length):
    values = members(f"{KEY}:0", length // 2).removeprefix("{")
    return f'{{"spec":{{"$retainKeys":{items(KEY, length // 2)},{values}}}'


STRATEGIC_SHAPES = {
    "one item many times": lambda length: containers(items('{"name":"c","x#":0}', length)),
    "one item's list many times": lambda length: containers(
        f'[{{"name":"c","env":{items(VARIABLE, length // 2)}}},{repeated(NO_VARIABLES, length // 2)}]'
    ),
    "many items": lambda length: containers(items(CONTAINER, length)),
    "deletions": lambda length: containers(items('{"$patch":"delete","name":"c#"}', length)),
    "an order": ordered_containers,
    "retained keys": retained_keys,
    "deleted values": lambda length: f'{{"metadata":{{"$deleteFromPrimitiveList/finalizers":{items(KEY, length)}}}}}',
    "values": lambda length: f'{{"metadata":{{"finalizers":{items(KEY, length)}}}}}',
    "objects as keys": lambda length: containers(items('{"name":{"a":[#]}}', length)),
}


def operation(**members):
    return json.dumps({key.rstrip("_"): value for key, value in members.items()})


JSON_PATCH_SHAPES = {
    "copies": lambda length: (
        f"[{operation(op='add', path='/a', value='x' * (length // 2))},"
        f"{items(operation(op='copy', from_='/a', path='/b#'), length // 2)[1:]}"
    ),
    "the first of a list": lambda length: (
        f"[{operation(op='add', path='/a', value=[0] * (length // 6))},"
        f"{repeated(operation(op='add', path='/a/0', value=0), length // 2)}]"
    ),
    "tests": lambda length: (
        f"[{operation(op='add', path='/a', value=[0] * (length // 6))},"
        f"{repeated(operation(op='test', path='/a', value=[0]), length // 2)}]"
    ),
    "nesting": lambda length: (
        "["
        + repeated(
            ",".join(
                [
                    operation(op="add", path="/b", value={}),
                    operation(op="move", from_="/metadata", path="/b/a"),
                    operation(op="move", from_="/b", path="/metadata"),
                ]
            ),
            length,
        )
        + "]"
    ),
    "a long path": lambda length: f"[{operation(op='add', path='/a' * (length // 2), value=0)}]",
    "unknown members": lambda length: f"[{members(KEY + ':0', length)}]",
    "duplicate members": lambda length: "[{" + repeated('"op":"add"', length) + "}]",
}


SELECTOR_SHAPES = {
    "values": lambda length: f"a in ({repeated('b', length)})",
    "terms": lambda length: repeated("!a", length),
    "commas": lambda length: "a in (" + "," * length + ")",
    "a long key": lambda length: "a" * length,
    "a long value": lambda length: "a=" + "b" * length,
    "spaces": lambda length: "a" + " " * length,
    "signs": lambda length: "=" * length,
    "backslashes": lambda length: "a=" + "\\" * length,
    "field terms": lambda length: repeated("a=b", length),
}


def field(number, content):
    """A field of a protobuf message that has a length: text, bytes or another message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def protobuf_service(metadata=b"", spec=b"", rest=b""):
    message = field(1, field(1, b"x") + metadata) + field(2, spec) + rest
    return b"k8s\0" + field(1, field(1, b"v1") + field(2, b"Service")) + field(2, message)


PROTOBUF_SHAPES = {
    "empty ports": lambda length: protobuf_service(spec=field(1, b"") * (length // 2)),
    "unknown fields": lambda length: protobuf_service(rest=b"\xf8\x07\x00" * (length // 3)),
    "unknown fields below": lambda length: protobuf_service(spec=field(1, b"\xf8\x07\x00") * (length // 5)),
    "unknown groups": lambda length: protobuf_service(rest=b"\xfb\x07" * length),
    "labels": lambda length: protobuf_service(metadata=field(11, field(1, b"a") + field(2, b"b")) * (length // 8)),
    "raw fields": lambda length: protobuf_service(
        metadata=field(17, field(7, field(1, list_of("{}")(length).encode())))
    ),
    "deep raw fields": lambda length: protobuf_service(metadata=field(17, field(7, field(1, b"[" * length)))),
}
