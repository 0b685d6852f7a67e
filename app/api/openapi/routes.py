"""The routes of the OpenAPI documents, and of the page that shows them to people."""

import asyncio
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from app.api.headers import JSON, SWAGGER_AS_PROTOBUF, SWAGGER_AS_PROTOBUF_ASKED
from app.api.negotiation import negotiate
from app.api.openapi.documents import SWAGGER, SWAGGER_PROTOBUF, OpenApiDocuments
from app.api.paths import READ_METHODS, unknown_path

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
    "redoc.standalone.js": "text/javascript",
}
_POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""Both pages write styles into the page, and Redoc searches in a worker; neither needs a script of another place."""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fairlead API</title>
<link rel="icon" href="/docs/favicon.png">
{head}</head>
<body>
{body}
</body>
</html>
"""
_SWAGGER_UI = _PAGE.format(
    head='<link rel="stylesheet" href="/docs/swagger-ui.css">\n',
    body='<div id="swagger-ui"></div>\n<script src="/docs/swagger-ui-bundle.js"></script>\n'
    '<script src="/docs/start.js"></script>',
)
_REDOC = _PAGE.format(
    head="<style>body { margin: 0; }</style>\n",
    body='<redoc spec-url="/openapi.json"></redoc>\n<script src="/docs/redoc.standalone.js"></script>',
)
_START = """if (!location.hash) location.hash = "#/Service";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
"""Every section is closed but the one that the address names, which is that of Services."""


def openapi_routes(documents: OpenApiDocuments) -> APIRouter:
    """`/openapi.json`, `/openapi/v2`, `/openapi/v3`; `/docs` and `/redoc`, which load nothing from other servers."""
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
    router.add_api_route("/redoc", _redoc, methods=READ_METHODS)
    router.add_api_route("/docs/start.js", _start, methods=READ_METHODS)
    router.add_api_route("/docs/{asset}", _asset, methods=READ_METHODS)
    return router


async def _docs() -> HTMLResponse:
    return HTMLResponse(_SWAGGER_UI, headers=_POLICY)


async def _redoc() -> HTMLResponse:
    return HTMLResponse(_REDOC, headers=_POLICY)


async def _start() -> Response:
    return Response(_START, media_type="text/javascript")


async def _asset(asset: str) -> FileResponse:
    if asset not in _ASSETS:
        raise unknown_path()
    return FileResponse(str(files("fastapi_offline") / "static" / asset), media_type=_ASSETS[asset])
