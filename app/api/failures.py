"""Errors of FastAPI and of its routes as Statuses."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.api.paths import unknown_path
from app.api.statuses import failure
from app.domain.errors import ApiError, BadRequest, InternalError, MethodNotAllowed


def register_failures(app: FastAPI) -> None:
    """Answer every error of a FastAPI route with a Status."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(Exception, _on_defect)


def _answer(error: ApiError) -> Response:
    return Response(failure(error), error.code, media_type="application/json")


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == MethodNotAllowed.code:
        return _answer(MethodNotAllowed("the server does not allow this method on the requested resource"))
    return _answer(unknown_path())


async def _on_validation_error(_: Request, error: Exception) -> Response:
    return _answer(BadRequest(f"the request's parameters are invalid: {error}"))


async def _on_api_error(_: Request, error: Exception) -> Response:
    return _answer(error if isinstance(error, ApiError) else InternalError(str(error)))


async def _on_defect(_: Request, error: Exception) -> Response:
    """Answer a defect. Starlette raises the error again afterwards, and the edge logs it."""
    return _answer(InternalError(f"the server could not answer ({type(error).__name__}); its log says why"))
