"""The bodies of PATCH requests."""

from collections.abc import Callable

from app.api.bodies import media_type, read_apart
from app.api.exchange import Exchange
from app.api.parameters import flag, strictness, write_options
from app.domain.patching.apply import Applying
from app.domain.patching.prepared import APPLY_PATCH, MEDIA_TYPES, Patch, prepare_patch
from app.registry.options import WriteOptions
from app.registry.target import Target


async def read_patch(exchange: Exchange, target: Target, now: Callable[[], str]) -> tuple[Patch, WriteOptions]:
    """Read the patch in the body, and the options of the request.

    Raises:
        ApiError: The body is of a wrong type, too large or malformed, or an option has no meaning.
    """
    content_type = media_type(exchange, MEDIA_TYPES)
    options = write_options(exchange, apply=content_type == APPLY_PATCH)
    applying = Applying(options.field_manager, flag(exchange.query, "force"), target.subresource, now())
    strict = strictness(exchange.query)
    patch = await read_apart(
        await exchange.read_body(),
        lambda body: prepare_patch(target.kind, content_type, body, strictness=strict, applying=applying),
    )
    return patch, options
