"""The routes of the OpenAPI documents, and of the page that shows them to people."""

import asyncio
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from app.api.headers import JSON, SWAGGER_AS_PROTOBUF, SWAGGER_AS_PROTOBUF_ASKED
from app.api.negotiation import negotiate
from app.api.openapi.documents import SWAGGER, SWAGGER_PROTOBUF, OpenApiDocuments
from app.api.paths import READ_METHODS, unknown_path

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}


def openapi_routes(documents: OpenApiDocuments) -> APIRouter:
    """`/openapi.json`, `/openapi/v2`, `/openapi/v3` and `/docs`, which loads nothing from other servers."""
    router = APIRouter(include_in_schema=False)

    async def document(request: Request) -> Response:
        name = request.url.path.strip("/")
        if not documents.has(name):
            raise unknown_path()
        accept = request.headers.get("accept", "")
        media_type = JSON
        if name == SWAGGER and any(each in accept for each in SWAGGER_AS_PROTOBUF_ASKED):
            name, media_type = SWAGGER_PROTOBUF, SWAGGER_AS_PROTOBUF
        else:
            negotiate(accept.encode("latin-1"))
        encoded = await asyncio.to_thread(documents.encoded, name)
        headers = {"etag": f'"{encoded.etag}"', "vary": "accept-encoding, accept", "cache-control": "no-cache"}
        if encoded.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(encoded.compressed, headers=headers, media_type=media_type)
        return Response(encoded.body, headers=headers, media_type=media_type)

    router.add_api_route("/openapi.json", document, methods=READ_METHODS)
    router.add_api_route("/openapi/{path:path}", document, methods=READ_METHODS)
    router.add_api_route("/docs", _docs, methods=READ_METHODS)
    router.add_api_route("/docs/{asset}", _asset, methods=READ_METHODS)
    return router


async def _docs() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Fairlead",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon.png",
    )


async def _asset(asset: str) -> FileResponse:
    if asset not in _ASSETS:
        raise unknown_path()
    return FileResponse(str(files("fastapi_offline") / "static" / asset), media_type=_ASSETS[asset])
