"""Reads the body of a PATCH request into a patch that can be applied to an object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.domain.declarations.kind import Kind
from app.domain.documents.decoding import (
    LARGE_BODY,
    MAX_DEPTH,
    Strictness,
    decode,
    duplicate_fields,
    is_too_deep,
    parse_json,
    parse_yaml,
    warnings_of,
    yaml_problems,
)
from app.domain.documents.paths import Path, path_text
from app.domain.documents.schema import schema_of
from app.domain.errors import BadRequest, Cause, Invalid, UnsupportedMediaType, shortened
from app.domain.patching.apply import Applying, apply
from app.domain.patching.json_patch import apply_json_patch, check_operations
from app.domain.patching.merge import merge_patch
from app.domain.patching.strategic import strategic_merge

Document = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

MEDIA_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)
"""The media types of the bodies that a PATCH may have."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A parsed patch, which can be applied to any state of the object.

    Attributes:
        apply: Makes the new document from the current one, `{}` if there is none; raises ApiError.
        decode: Decodes the new document; returns the object and the texts of warnings, raises ApiError.
        creates: Whether a missing object is created.
        operation: `Apply` or `Update`, as in managedFields. An `Apply` has set managedFields in the document.
        is_large: Whether applying and decoding may take long, so that it should happen in another thread.
    """

    apply: Callable[[Document], Document]
    decode: Callable[[Document], tuple[Any, list[str]]]
    creates: bool = False
    operation: Literal["Apply", "Update"] = "Update"
    is_large: bool = False


def prepare_patch(
    kind: Kind[Any], media_type: str, body: bytes, *, strictness: Strictness, applying: Applying
) -> Patch:
    """Parse the body of a PATCH.

    Args:
        kind: The kind of the object.
        media_type: One of `MEDIA_TYPES`.
        body: The body, decompressed.
        strictness: How unknown and duplicate fields are treated.
        applying: Who patches, for server-side apply.

    Raises:
        BadRequest: The body is malformed.
        RequestEntityTooLarge: A JSON patch has too many operations.
        UnsupportedMediaType: `media_type` is none of `MEDIA_TYPES`.
    """
    patch = _parsed(kind, media_type, body, strictness, applying)
    return replace(patch, is_large=True) if len(body) >= LARGE_BODY else patch


def _parsed(kind: Kind[Any], media_type: str, body: bytes, strictness: Strictness, applying: Applying) -> Patch:
    match media_type:
        case "application/json-patch+json":
            return _json_patch(kind, body, strictness)
        case "application/merge-patch+json":
            patch, problems = _object(body)
            return Patch(lambda live: merge_patch(live, patch), _decoder(kind, strictness, problems))
        case "application/strategic-merge-patch+json":
            patch, problems = _object(body)
            of = schema_of(kind.model)
            decoder = _decoder(kind, strictness, problems, any_kind=True)
            return Patch(lambda live: strategic_merge(of, live, patch), decoder)
        case "application/apply-patch+yaml":
            return _apply_patch(kind, body, strictness, applying)
        case _:
            raise UnsupportedMediaType(f"a patch must be one of {', '.join(MEDIA_TYPES)}, not {media_type}")


def _json_patch(kind: Kind[Any], body: bytes, strictness: Strictness) -> Patch:
    document, duplicates = parse_json(body)
    operations, unknown = check_operations(document)
    problems = [f'json patch unknown field "{path_text(path)}"' for path in unknown]
    problems += [f"json patch {problem}" for problem in duplicate_fields(duplicates)]
    return Patch(lambda live: apply_json_patch(live, operations), _decoder(kind, strictness, problems))


def _object(body: bytes) -> tuple[Document, list[str]]:
    patch, duplicates = parse_json(body)
    if not isinstance(patch, dict):
        raise BadRequest("a merge patch must be a JSON object")
    return patch, duplicate_fields(duplicates)


def _apply_patch(kind: Kind[Any], body: bytes, strictness: Strictness, applying: Applying) -> Patch:
    config, duplicates = _parse_config(body)
    problems = yaml_problems(duplicates)

    def read(document: Document) -> tuple[Any, list[str]]:
        warnings = warnings_of(problems, strictness)
        return decode_applied(kind, document), warnings

    return Patch(lambda live: apply(kind, live, config, applying), read, creates=True, operation="Apply")


def decode_applied(kind: Kind[Any], document: Document) -> Any:
    """Decode the document that an apply made. Unknown fields in the configuration have been refused before.

    Raises:
        Invalid: The document is not a valid object.
    """
    return _decoder(kind, Strictness.IGNORE, ())(document)[0]


def _parse_config(body: bytes) -> tuple[Any, list[Path]]:
    """Read a body that begins like JSON as JSON: its escapes of surrogate pairs are not YAML."""
    if body.lstrip()[:1] == b"{":
        try:
            return parse_json(body)
        except BadRequest:
            return parse_yaml(body)
    return parse_yaml(body)


def _decoder(
    kind: Kind[Any], strictness: Strictness, problems: Sequence[str], *, any_kind: bool = False
) -> Callable[[Document], tuple[Any, list[str]]]:
    """The function that decodes a patched document. If that fails, the patch is invalid.

    Args:
        kind: The kind of the object.
        strictness: How unknown and duplicate fields are treated.
        problems: Texts about unknown and duplicate fields of the patch itself.
        any_kind: Whether a change of kind or apiVersion is ignored, as in strategic merge patches.
    """

    def read(document: Document) -> tuple[Any, list[str]]:
        try:
            if is_too_deep(document):
                raise BadRequest(f"the object would be nested more than {MAX_DEPTH} levels deep")  # noqa: TRY301 - one message
            if not any_kind:
                _check_kind(kind, document)
            return decode(kind.model, document, strictness=strictness, problems=problems)
        except BadRequest as error:
            raise _invalid_patch(error.message) from error

    return read


def _check_kind(kind: Kind[Any], document: Any) -> None:
    if isinstance(document, dict):
        for name, wanted in (("apiVersion", kind.api_version), ("kind", kind.name)):
            if document.get(name, wanted) not in (wanted, "", None):
                raise BadRequest(f"{name} must stay {wanted}, not become {shortened(str(document[name]))}")


def _invalid_patch(message: str) -> Invalid:
    return Invalid(
        f"the patch does not lead to a valid object: {message}",
        causes=[Cause("FieldValueInvalid", "patch", f"Invalid value: {message}")],
    )
