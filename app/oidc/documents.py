"""What a provider answers: fetched within bounds, and only from where its answers can be trusted."""

from urllib.parse import urlsplit

import httpx

from app.oidc.configuration import ConfigurationError, Provider, check_url, tls_context

FETCH_SECONDS = 5.0
"""Time that a provider has to answer."""
_LARGEST_ANSWER = 512 * 1024


class ProviderUnavailableError(Exception):
    """A provider does not answer, or not as it should. The message says why."""


def connection(provider: Provider) -> httpx.AsyncClient:
    """A client for requests to a provider, whose certificate is checked."""
    return httpx.AsyncClient(verify=tls_context(provider.authority), timeout=FETCH_SECONDS)


async def fetched(client: httpx.AsyncClient, url: str, form: dict[str, str] | None = None) -> bytes:
    """A document, or what is answered to a form. Redirects are not followed: they could lead anywhere.

    Raises:
        ProviderUnavailableError: It answers an error, or too much.
        httpx.HTTPError: It cannot be reached.
    """
    method = "GET" if form is None else "POST"
    async with client.stream(method, url, data=form, headers={"accept": "application/json"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ProviderUnavailableError(f"{url} answers {answer.status_code}")
        chunks = bytearray()
        async for chunk in answer.aiter_bytes():
            chunks += chunk
            if len(chunks) > _LARGEST_ANSWER:
                raise ProviderUnavailableError(f"{url} answers more than {_LARGEST_ANSWER} bytes")
        return bytes(chunks)


def check_place(provider: Provider, name: str, url: str) -> None:
    """Use an address of this machine, or one without TLS, only if the provider itself is described there.

    Raises:
        ProviderUnavailableError: The address is another one.
    """
    try:
        check_url(name, url)
    except ConfigurationError as error:
        raise ProviderUnavailableError(str(error)) from error
    if urlsplit(url).scheme != "https" and urlsplit(provider.discovery_url).scheme == "https":
        raise ProviderUnavailableError(f"{name}: must be a URL that begins with https://")
