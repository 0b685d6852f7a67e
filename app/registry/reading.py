"""Get and list."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.domain.errors import BadRequest, Cause, Expired, Timeout
from app.domain.kinds.kind import Kind
from app.mirror.entry import Entry
from app.registry.context import Context
from app.registry.options import ListOptions, Page
from app.registry.outcomes import invalid_object, not_found
from app.registry.paging import ContinueToken, decode_continue
from app.registry.selection import Selection
from app.registry.sources import Sources

_PATIENCE = 3.0
"""Seconds a read waits for a revision that this process has not seen yet."""


class Reading:
    """The verbs get and list. A read that names no revision is current; `0` is whatever this process has."""

    def __init__(self, context: Context, sources: Sources) -> None:
        self._context = context
        self._sources = sources

    async def get(self, kind: Kind[Any], namespace: str, name: str, resource_version: str = "") -> Entry:
        """One object.

        Raises:
            NotFound: It is not there.
            ApiError: The revision cannot be served.
        """
        await self._reach(resource_version)
        entry = self._sources.get(kind, namespace, name)
        if entry is None and resource_version:
            await self._context.mirror.fresh()
            entry = self._sources.get(kind, namespace, name)
        if entry is None:
            raise not_found(kind, name)
        return entry

    async def list(self, kind: Kind[Any], namespace: str | None, options: ListOptions) -> Page:
        """Objects in order of namespace and name, a page at a time when a limit is given.

        Raises:
            ApiError: A selector, token or revision is refused.
        """
        selection = Selection(kind, options.label_selector, options.field_selector)
        _check_list_options(kind, options)
        if options.continue_token:
            token = decode_continue(options.continue_token)
            await self._context.mirror.at_least(token.revision, _PATIENCE)
            return self._page(kind, namespace, options, selection, token)
        await self._reach("" if options.resource_version_match == "Exact" else options.resource_version)
        revision = self._context.mirror.revision
        if options.resource_version_match == "Exact":
            revision = int(options.resource_version)
            await self._reach(options.resource_version)
        return self._page(kind, namespace, options, selection, ContinueToken(revision, "", ""))

    def _page(
        self, kind: Kind[Any], namespace: str | None, options: ListOptions, selection: Selection, start: ContinueToken
    ) -> Page:
        after = (start.namespace, start.name) if start.name else None
        entries = self._sources.list_at(kind, namespace, start.revision, after)
        if selection.everything and not options.limit:
            return Page(entries, start.revision)
        chosen = entries if selection.everything else (entry for entry in entries if selection.matches(entry))
        if not options.limit:
            return Page(list(chosen), start.revision)
        page = list(islice(chosen, options.limit + 1))
        if len(page) <= options.limit:
            return Page(page, start.revision)
        page.pop()
        token = ContinueToken(start.revision, page[-1].namespace, page[-1].name)
        remaining = len(entries) - options.limit if selection.everything else None
        return Page(page, start.revision, token.encode(), remaining)

    async def _reach(self, resource_version: str) -> None:
        """Catch up to what the request asks for: the present, anything, or at least a revision."""
        if resource_version == "0":
            return
        if not resource_version:
            await self._context.mirror.fresh()
            return
        revision = parse_revision(resource_version)
        if not await self._context.mirror.at_least(revision, _PATIENCE):
            raise too_large(revision, self._context.mirror.revision)


def parse_revision(text: str) -> int:
    """A resourceVersion as a number.

    Raises:
        BadRequest: It is not a decimal integer.
    """
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f'Invalid value: "{text}": resourceVersion must be a non-negative decimal integer')
    return int(text)


def too_large(revision: int, newest: int) -> Timeout:
    """A revision from the future was asked for."""
    return Timeout(
        f"Too large resource version: {revision}, current: {newest}",
        causes=[Cause("ResourceVersionTooLarge", "", "Too large resource version")],
        retry_after=1,
    )


def expired(revision: int, oldest: int) -> Expired:
    """The revision asked for has left the log."""
    return Expired(f"The resourceVersion {revision} is too old: the oldest that can be served is {oldest}; list again")


def _check_list_options(kind: Kind[Any], options: ListOptions) -> None:
    causes: Sequence[Cause] = ()
    match, version = options.resource_version_match, options.resource_version
    field = "resourceVersionMatch"
    if match and options.continue_token:
        causes = [Cause("FieldValueForbidden", field, "Forbidden: it cannot be combined with continue")]
    elif match not in ("", "Exact", "NotOlderThan"):
        message = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"'
        causes = [Cause("FieldValueNotSupported", field, message)]
    elif match and not version:
        causes = [Cause("FieldValueForbidden", field, "Forbidden: it needs a resourceVersion to match")]
    elif match == "Exact" and version == "0":
        causes = [Cause("FieldValueForbidden", field, 'Forbidden: "Exact" cannot be used with resourceVersion "0"')]
    if causes:
        raise invalid_object(kind, "", list(causes))
    if options.continue_token and version not in ("", "0"):
        raise BadRequest("resourceVersion must not be given together with continue")
