"""What a request that fails is answered: JSON to a script that called /api, a page to a browser everywhere."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from slac_tasks.errors import BrokenContract, NotMade, SlacError, Temporary
from slac_tasks.web.pages import render
from slac_tasks.web.text import MALFORMED

_STATUS: dict[type[SlacError], int] = {NotMade: 404, BrokenContract: 409, Temporary: 503}


def answer(scope: Scope, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a request that failed.

    Args:
        scope: of the request.
        status: of HTTP; below 400 there is nothing to say.
        text: one sentence for a person.
        headers: to send as well.

    """
    if status < 400:
        return Response(status_code=status, headers=headers)
    if is_call(scope) and "text/html" not in Headers(scope=scope).get("accept", ""):
        return JSONResponse({"detail": text}, status_code=status, headers=headers)
    if text == HTTPStatus(status).phrase:
        text = "There is nothing at this address." if status == 404 else "This cannot be done."
    up = "../" * max(0, _path(scope).count("/") - 1)
    page = render("error.html", status, title=HTTPStatus(status).phrase, text=text, up=up)
    page.headers.update(headers or {})
    return page


def is_call(scope: Scope) -> bool:
    """Return whether a request asks for something below /api, as scripts of the pages do."""
    return _path(scope).startswith("/api/")


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def install(app: FastAPI) -> None:
    """Have the application answer every failure that it knows in this form."""

    @app.exception_handler(HTTPException)
    async def _refused(request: Request, refusal: HTTPException) -> Response:
        return answer(request.scope, refusal.status_code, refusal.detail, refusal.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, failure: RequestValidationError) -> Response:
        # What was sent is not repeated: it may hold what no answer can.
        first = failure.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or str(part).isidentifier())
        status = 400 if first["type"] in MALFORMED else 422
        return answer(request.scope, status, f"{place or 'body'}: {first['msg']}")

    @app.exception_handler(SlacError)
    async def _failed(request: Request, failure: SlacError) -> Response:
        status = next((code for kind, code in _STATUS.items() if isinstance(failure, kind)), 500)
        # The message may name addresses inside the network: a person in a browser gets the kind alone.
        text = str(failure) if status in (404, 409) else {503: "try again in a moment"}.get(status, "not configured")
        return answer(request.scope, status, text, {"Retry-After": "2"} if status == 503 else None)
