"""The verbs get and list."""

from collections.abc import Sequence
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.errors import BadRequest, Cause, Timeout
from app.mirror.entry import Entry
from app.registry.context import Context, entry_from_object
from app.registry.options import ListOptions, Page
from app.registry.outcomes import invalid_object, not_found
from app.registry.paging import ContinueToken, decode_continue
from app.registry.selection import Selection
from app.registry.sources import Sources
from app.registry.target import Target
from app.registry.turns import in_turns

REVISION_WAIT_SECONDS = 3.0
"""Seconds that a read waits for a revision which this process has not seen yet."""


class Reading:
    """The verbs get and list. A read without a revision is current; one at "0" takes what this process has."""

    def __init__(self, context: Context, sources: Sources) -> None:
        self._context = context
        self._sources = sources

    async def get(self, target: Target, resource_version: str = "") -> Entry:
        """One object.

        Raises:
            NotFound: It is not there.
            ApiError: The revision cannot be served.
        """
        await self._reach(resource_version)
        archive = self._context.archives.get(target.kind.key)
        if archive is not None:
            found = await archive.get(target.name, self._context.mirror.revision)
            if found is None:
                raise not_found(target.kind, target.name)
            return found
        entry = await self._sources.get(target)
        if entry is None and resource_version:
            await self._context.mirror.fresh()
            entry = await self._sources.get(target)
        if entry is None:
            raise not_found(target.kind, target.name)
        computed = self._context.computed.get((target.kind.key, target.subresource))
        if computed is None:
            return entry
        shown = await computed(self._context.forms.decoded(target.kind, entry))
        return entry_from_object(target.kind.carried_by(target.subresource), shown, self._context.mirror.revision)

    async def list(self, target: Target, options: ListOptions) -> Page:
        """Objects in order of namespace and name; with a limit, a page of them.

        Raises:
            ApiError: A selector, token or revision is refused.
        """
        selection = Selection(target.kind, options.label_selector, options.field_selector, options.search)
        _check_list_options(target.kind, options)
        archive = self._context.archives.get(target.kind.key)
        if archive is not None:
            await self._reach(options.resource_version)
            return await archive.list(options, self._context.mirror.revision)
        if options.continue_token:
            start = decode_continue(options.continue_token)
            await self._reach(str(start.revision))
        else:
            await self._reach(options.resource_version)
            exact = options.resource_version_match == "Exact"
            revision = int(options.resource_version) if exact else self._context.mirror.revision
            start = ContinueToken(revision, "", "")
        await self._sources.reach_back(target.kind, start.revision)
        if selection.everything:
            return await self._whole_page(target, options.limit, start)
        return await self._selected_page(target, options.limit, start, selection)

    async def _whole_page(self, target: Target, limit: int, start: ContinueToken) -> Page:
        listing = await self._sources.page_at(target.kind, target.namespace, start.revision, start.after, limit or None)
        if not listing.remaining:
            return Page(listing.entries, start.revision)
        return Page(listing.entries, start.revision, start.behind(listing.entries[-1]), listing.remaining)

    async def _selected_page(self, target: Target, limit: int, start: ContinueToken, selection: Selection) -> Page:
        candidates = await self._sources.candidates_at(
            target.kind, target.namespace, start.revision, selection.name, start.after
        )
        page: list[Entry] = []
        async for entries in in_turns(candidates):
            page += filter(selection.matches, entries)
            if limit and len(page) > limit:
                break
        if not limit or len(page) <= limit:
            return Page(page, start.revision)
        del page[limit:]
        return Page(page, start.revision, start.behind(page[-1]))

    async def _reach(self, resource_version: str) -> None:
        """Catch up as far as the request asks: to the present, to a revision, or to what this process has written."""
        if resource_version == "0":
            await self._context.reach_own()
            return
        if not resource_version:
            await self._context.mirror.fresh()
            return
        revision = parse_revision(resource_version)
        if not await self._context.mirror.at_least(revision, REVISION_WAIT_SECONDS):
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
    """The error for a revision that is in the future."""
    return Timeout(
        f"Too large resource version: {revision}, current: {newest}",
        causes=[Cause("ResourceVersionTooLarge", "", "Too large resource version")],
        retry_after=1,
    )


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
