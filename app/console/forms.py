"""Forms that write YAML: which fields of a kind they have, how these are read from a document and put into one."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from app.console.api_client import Document, Refused

_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


@dataclass(frozen=True)
class Notation:
    """How a value of a document is written in a field.

    Attributes:
        read: The value that a text means, None for none; takes the value so far, too. It raises `Refused` for what it
            cannot read.
        show: The text of a value.
        control: What the field looks like.
    """

    read: Callable[[str, Any], Any]
    show: Callable[[Any], str]
    control: Literal["text", "choice", "check"] = "text"


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        name: Its name in the form.
        label: What stands above it.
        path: Where its value stands in the document.
        notation: How the value is written.
        choices: The values to choose from.
        example: A text that shows how to write it.
        is_required: Whether it has to be filled in.
        is_fixed: Whether it cannot be changed later.
    """

    name: str
    label: str
    path: tuple[str, ...]
    notation: Notation
    choices: tuple[str, ...] = ()
    example: str = ""
    is_required: bool = False
    is_fixed: bool = False


def fields_of(kind: str, *, is_new: bool) -> list[Field]:
    """The fields of a kind's form, by the kind's name in URLs of the console; none where it has no form."""
    return [field for field in _FORMS.get(kind, ()) if is_new or not field.is_fixed]


def shown(fields: list[Field], document: Document) -> dict[str, str]:
    """What stands in the fields of a form about a document."""
    return {field.name: _shown(field, document) for field in fields}


def filled(fields: list[Field], form: Mapping[str, str], document: Document) -> Document:
    """The document with what a form says. What the form shows as it is stays as it is; what is empty in it goes.

    Raises:
        Refused: A field cannot be read.
    """
    made: Document = copy.deepcopy(document)
    for field in fields:
        text = form.get(field.name, "").strip()
        if text != _shown(field, made):
            _put(made, field.path, field.notation.read(text, _value(made, field.path)) if text else None)
    return made


def _shown(field: Field, document: Document) -> str:
    value = _value(document, field.path)
    try:
        return "" if value is None else field.notation.show(value)
    except (AttributeError, KeyError, TypeError):
        return ""  # somebody wrote YAML of another shape, which the API will refuse


def help_texts(fields: list[Field], described: Document, resource: Document) -> dict[str, str]:
    """What the API says of each field.

    Args:
        fields: The fields.
        described: The schemas of the OpenAPI document of the kind's group.
        resource: Group, version and kind.
    """
    of_kind = (each for each in described.values() if resource in each.get("x-kubernetes-group-version-kind", ()))
    schema: Document = next(of_kind, {})
    return {field.name: _description(field.path, schema, described) for field in fields}


def _description(path: tuple[str, ...], schema: Document, described: Document) -> str:
    texts = []
    for name in path:
        found: Document | None = schema.get("properties", {}).get(name)
        if found is None:
            return ""
        texts.append(str(found.get("description", "")))
        reference = found.get("$ref") or next((each.get("$ref", "") for each in found.get("allOf", ())), "")
        schema = described.get(reference.rpartition("/")[2], found)
    return texts[_DEPTH]


_DEPTH = 1
"""Below `spec` and `metadata`: what is deeper is told in terms of what surrounds it."""


def _value(document: Document, path: tuple[str, ...]) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _put(document: Document, path: tuple[str, ...], value: Any) -> None:
    """Set a value; without one, take it away, and what holds nothing else then."""
    first, *rest = path
    if rest:
        inner = document.get(first)
        inner = document[first] = inner if isinstance(inner, dict) else {}
        _put(inner, tuple(rest), value)
        if not inner:
            del document[first]
    elif value is None:
        document.pop(first, None)
    else:
        document[first] = value


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _unreadable(f"{text!r} is no label: write name=value, such as app=web")
    return name, value


def _number(text: str, _before: Any) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _unreadable(f"{text!r} is no number") from error


def _ports(text: str, before: Any) -> list[Document]:
    """Ports; one that is there already keeps what the form does not tell of, such as its name."""
    known = {_port_key(each): each for each in before or () if isinstance(each, dict)}
    return [_port_with(known.get(_port_key(port)), port) for port in map(_port, _words(text))]


def _port_with(before: Document | None, told: Document) -> Document:
    if before is None:
        return told
    kept = {name: value for name, value in before.items() if name != "targetPort"}
    return {**kept, **{name: value for name, value in told.items() if name != "name"}}


def _port_key(port: Document) -> tuple[Any, str]:
    return port.get("port"), port.get("protocol") or "TCP"


def _port(text: str) -> Document:
    """A port written as `80`, `80:8080` or `53:5353/UDP`; the target may be a name."""
    numbers, _, protocol = text.partition("/")
    port, _, target = numbers.partition(":")
    if not port.isdecimal():
        raise _unreadable(f"{text!r} is no port: write 80, 80:8080 or 53:5353/UDP")
    told: Document = {"name": f"port-{port}{'-' + protocol.lower() if protocol else ''}", "port": int(port)}
    if target:
        told["targetPort"] = int(target) if target.isdecimal() else target
    if protocol:
        told["protocol"] = protocol.upper()
    return told


def _port_text(port: Document) -> str:
    number, target, protocol = port["port"], port.get("targetPort"), port.get("protocol", "TCP")
    aside = "" if target in (None, number) else f":{target}"
    return f"{number}{aside}" + ("" if protocol == "TCP" else f"/{protocol}")


def _unreadable(message: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, {"message": message})


_TEXT = Notation(lambda text, _: text, str)
_CHOICE = Notation(lambda text, _: text, str, "choice")
_NUMBER = Notation(_number, str)
_WORDS = Notation(lambda text, _: _words(text), ", ".join)
_LABELS = Notation(
    lambda text, _: dict(map(_label, _words(text))),
    lambda labels: ", ".join(f"{name}={value}" for name, value in labels.items()),
)
_PORTS = Notation(_ports, lambda ports: ", ".join(map(_port_text, ports)))
_CHECK = Notation(lambda text, _: text == "true", lambda value: "true" if value is True else "", "check")
_CHECK_TEXT = Notation(lambda text, _: text, lambda value: "true" if value == "true" else "", "check")
"""What annotations have: the text `true`."""
_YES_OR_NO = Notation(lambda text, _: text == "true", lambda value: str(value).lower(), "choice")

_NAME = Field("name", "Name", ("metadata", "name"), _TEXT, is_required=True, is_fixed=True)
_NAMESPACE = Field("namespace", "Namespace", ("metadata", "namespace"), _TEXT, is_required=True, is_fixed=True)
_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")

_FORMS: Mapping[str, tuple[Field, ...]] = {
    "services": (
        _NAME,
        _NAMESPACE,
        Field("type", "Type", ("spec", "type"), _CHOICE, _TYPES),
        Field("ports", "Ports", ("spec", "ports"), _PORTS, example="80, 443:8443, 53/UDP"),
        Field("selector", "Labels of its Pods", ("spec", "selector"), _LABELS, example="app=web"),
        Field("external_name", "External name", ("spec", "externalName"), _TEXT, example="www.example.org"),
        Field("internal", "Internal load balancer", ("metadata", "annotations", _INTERNAL), _CHECK_TEXT),
    ),
    "staticaddresses": (
        _NAME,
        _NAMESPACE,
        Field("pool", "Pool", ("spec", "pool"), _TEXT, example="external", is_fixed=True),
        Field("family", "Family", ("spec", "family"), _CHOICE, ("", "IPv4", "IPv6"), is_fixed=True),
        Field("address", "Address", ("spec", "address"), _TEXT, example="198.18.0.7", is_fixed=True),
        Field("dns_label", "DNS label", ("spec", "dnsLabel"), _TEXT, example="shop"),
        Field("shared_with", "Shared with", ("spec", "sharedWith"), _WORDS, example="other/*, third/web"),
        Field("drain", "Drain", ("spec", "drain"), _CHECK),
    ),
    "addresspools": (
        _NAME,
        Field("scope", "Scope", ("spec", "scope"), _CHOICE, ("internal", "external"), is_fixed=True),
        Field("addresses", "Addresses", ("spec", "addresses"), _WORDS, example="198.18.0.0/24, 198.18.1.10-198.18.1.20",
              is_required=True),
        Field("exclude", "Exclude", ("spec", "exclude"), _WORDS, example="198.18.0.1"),
        Field("auto_assign", "Auto-assign", ("spec", "autoAssign"), _YES_OR_NO, ("", "true", "false")),
        Field("priority", "Priority", ("spec", "priority"), _NUMBER, example="0"),
        Field("aliases", "Aliases", ("spec", "aliases"), _WORDS, example="frontend-subnet"),
        Field("namespaces", "Labels of namespaces", ("spec", "namespaceSelector", "matchLabels"), _LABELS,
              example="team=shop"),
        Field("reuse_after", "Reuse after seconds", ("spec", "reuseAfterSeconds"), _NUMBER, example="0"),
        Field("drain", "Drain", ("spec", "drain"), _CHECK),
    ),
}  # fmt: skip
"""Kinds, by their names in URLs of the console, and their fields in order."""
