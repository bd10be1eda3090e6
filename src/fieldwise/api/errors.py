"""One table from what went wrong to what the client hears: status and stable code, as problem+json, never a stack trace."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fieldwise import telemetry
from fieldwise.model.errors import (
    BadRequest,
    DefinitionsInvalid,
    Deposed,
    EngineRefused,
    EngineUnavailable,
    FieldwiseError,
    HomeInUse,
    NotFound,
)
from fieldwise.operations.across_projects import NotEligible
from fieldwise.operations.undo import NotUndoable, Overtaken
from fieldwise.usecases.operate import (
    KeyReused,
    NotCancellable,
    PlanExpired,
    PlanRefused,
    PlanStale,
    ReasonMissing,
)

STATUS: dict[type[FieldwiseError], int] = {
    BadRequest: 400,
    NotFound: 404,
    DefinitionsInvalid: 422,
    EngineRefused: 422,
    HomeInUse: 409,
    Deposed: 503,
    EngineUnavailable: 503,
    PlanStale: 409,
    PlanExpired: 410,
    PlanRefused: 422,
    ReasonMissing: 422,
    KeyReused: 422,
    NotEligible: 422,
    NotCancellable: 409,
    NotUndoable: 409,
    Overtaken: 409,
}
# Codes of one class that differ in kind.
BY_CODE = {
    "force_rerun_in_progress": 409,
    "basic_locked": 409,
    "not_administrator": 403,
    "project_not_administered": 403,
}
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    422: "invalid",
}


def problem(
    status: int, code: str, title: str, detail: str = "", hint: str = "", **more: Any
) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        **more,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Every way a request can fail ends in `problem`."""

    @app.exception_handler(FieldwiseError)
    async def ours(request: Request, error: FieldwiseError) -> JSONResponse:
        known = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
        status = BY_CODE.get(error.code, known)
        more: dict[str, Any] = {}
        if isinstance(error, DefinitionsInvalid):
            more["errors"] = [
                {
                    "file": p.file,
                    "line": p.line,
                    "column": p.column,
                    "code": p.code.value,
                    "message": p.message,
                    "hint": p.hint,
                }
                for p in error.problems
            ]
        if isinstance(error, PlanStale):
            more |= {"difference": error.difference, "plan": error.fresh}
        return problem(status, error.code, error.message, error.message, error.hint, **more)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "invalid", "The request is not understood", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(
            error.status_code, CODES.get(error.status_code, "error"), str(error.detail), str(error.detail)
        )

    @app.exception_handler(Exception)
    async def ours_alone(request: Request, error: Exception) -> JSONResponse:
        telemetry.failure("request_failed", path=request.url.path, error=repr(error))
        return problem(
            500,
            "internal",
            "Something broke inside Fieldwise",
            "The server's log says what; the request changed nothing.",
        )
