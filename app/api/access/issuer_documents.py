"""What others check tokens of ServiceAccounts with (KEP-1393; OpenID Connect Discovery 1.0, 4)."""

import msgspec
from fastapi import APIRouter, Response

from app.api.access.service_account_tokens import ServiceAccountTokens
from app.api.paths import READ_METHODS
from app.credentials.token_signing import ALGORITHM

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEY_SET_PATH = "/openid/v1/jwks"
ISSUER_PATHS = (CONFIGURATION_PATH, KEY_SET_PATH)

_FOR_AN_HOUR = {"cache-control": "public, max-age=3600"}
"""A key is published an hour before it signs."""


def issuer_routes(tokens: ServiceAccountTokens, key_set_url: str) -> APIRouter:
    """The issuer's configuration and the set of its public keys.

    Args:
        tokens: Of this issuer.
        key_set_url: Where others find the set of keys.
    """
    router = APIRouter(include_in_schema=False)
    configuration = msgspec.json.encode(
        {
            "issuer": tokens.issuers[0],
            "jwks_uri": key_set_url,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }
    )

    async def show_configuration() -> Response:
        return Response(configuration, media_type="application/json", headers=_FOR_AN_HOUR)

    async def show_key_set() -> Response:
        return Response(tokens.keys.key_set(), media_type="application/jwk-set+json", headers=_FOR_AN_HOUR)

    router.add_api_route(CONFIGURATION_PATH, show_configuration, methods=READ_METHODS)
    router.add_api_route(KEY_SET_PATH, show_key_set, methods=READ_METHODS)
    return router
