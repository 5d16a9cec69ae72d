"""What a browser sends from one of our own pages and from no other: forms, which are short, and calls of scripts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

from fastapi import Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from slac_tasks.web.text import is_plain

Sent = TypeVar("Sent", bound=BaseModel)

FORM_MOST = 8192
"""Bytes of a form: a letter of a long reason or name takes nine of them in Chinese."""


def own_form(request: Request) -> None:
    """Refuse a form of another site: it must not act in the name of whoever is logged in here, or log somebody in.

    A browser names `null` where it hides the site, which our own pages never have it do.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "This form was sent from another site.")


async def read_form(request: Request) -> Mapping[str, str]:
    """Read the fields of a form of our own; of a field that is sent twice, the first.

    One that is not UTF-8 is refused: a name or a reason would be kept with other letters.
    """
    own_form(request)
    body = await request.body()
    if len(body) > FORM_MOST:
        raise HTTPException(413, "This form is too long.")
    try:
        return {key: values[0] for key, values in parse_qs(body.decode(), errors="strict").items()}
    except UnicodeDecodeError:
        raise HTTPException(400, "This form is not in UTF-8.") from None


def same_page(x_requested_with: Annotated[str, Header()] = "") -> None:
    """Refuse what another site's form sends with this person's cookie: a form cannot set this header."""
    if x_requested_with != "slac":
        raise HTTPException(403, "want the header X-Requested-With: slac")


def body_of(kind: type[Sent]) -> Callable[[Request], Awaitable[Sent]]:
    """Return the dependency that reads a body of JSON: only when it is called, so when it is known who sends it."""

    async def read(request: Request) -> Sent:
        try:
            return kind.model_validate_json(await request.body())
        except ValidationError as failure:
            raise RequestValidationError(failure.errors(include_url=False, include_context=False)) from failure

    return read


def field(form: Mapping[str, str], name: str, most: int) -> str:
    """Return what stands in a field of a form, which must not be empty."""
    value = form.get(name, "").strip()
    if not 0 < len(value) <= most or not is_plain(value):
        raise HTTPException(400, f"The field {name} has {len(value)} characters, want 1 to {most} on one line.")
    return value
