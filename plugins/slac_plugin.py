"""The pages of the service in Airflow's nav.

With SLAC_WEB_URL (the address of `slac web`) the nav leads to that service, which has accounts of its own. Without it,
and with SLAC_STORE and SLAC_DATABASE_URL in the api-server's environment, the same pages are mounted at /slac behind
Airflow's own login: for the demo and for single users. With neither, the nav gets nothing.

Airflow's home shows a welcome: what the platform is, its DAGs in their order, and where a visitor begins.
"""

import base64
import hashlib
import os
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from slac_links import MOUNTED, address, is_mounted
from slac_watch import RunMade

from slac_tasks.web.listing import HOME

WELCOME = "/slac-welcome"
"""Where Airflow serves the script of the welcome."""
_LOGIN = "/api/v2/auth/login"
"""Where Airflow logs in, by whatever it uses for that; it leads back to the address `next`."""


def _mounted() -> Any:
    """Make the application behind Airflow's login; imported here, so that other processes of Airflow stay light."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
    from fastapi import Depends, HTTPException, Request

    from slac_tasks import config
    from slac_tasks.storage.ledger import open_ledger
    from slac_tasks.storage.objects import open_store
    from slac_tasks.web.app import make_app
    from slac_tasks.web.ledgers import Ledgers
    from slac_tasks.web.media import Media

    async def known(request: Request, credentials: Annotated[Any, Depends(bearer_scheme)]) -> Any:
        """Return Airflow's user; lead a browser that opens a page without a login to Airflow's, and back."""
        try:
            return await get_user(request, None, credentials)
        except HTTPException as refusal:
            opens = request.method == "GET" and "text/html" in request.headers.get("accept", "")
            if refusal.status_code != 401 or not opens:
                raise
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            login = f"{request.scope['root_path'].removesuffix(MOUNTED)}{_LOGIN}?{urlencode({'next': asked})}"
            raise HTTPException(303, headers={"Location": login}) from refusal

    def person(user: Annotated[Any, Depends(known)]) -> str:
        """Return the name of Airflow's user."""
        if not get_auth_manager().is_authorized_custom_view(method="GET", resource_name="SLAC", user=user):
            raise HTTPException(403, "these pages are not open to your role")
        return str(user.get_name())

    settings = config.load()
    # The same in every worker of the api-server, and of no use for anything else that this secret signs.
    secret = hashlib.sha256(b"slac media" + conf.get_mandatory_value("api_auth", "jwt_secret").encode()).digest()
    media = Media(store=open_store(settings.store_url), secret=secret, seconds=settings.review.media_sec)
    return make_app(settings, Ledgers(partial(open_ledger, newer=True)), media, authenticate=person)


_DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='{ink}' stroke-width='1.8' "
    "stroke-linejoin='round'><rect x='3' y='5' width='18' height='14' rx='2.5'/><path d='M10 9v6l5-3z'/></svg>"
)
"""A clip that can be played."""


def _icon(ink: str) -> str:
    """Return the icon as an address that loads nothing: the nav asks for it without a login of the service."""
    return f"data:image/svg+xml;base64,{base64.b64encode(_DRAWING.format(ink=ink).encode()).decode()}"


def _views(base: str) -> list[dict[str, Any]]:
    """Return the one entry of the nav; the bar on top of each page leads to the others."""
    return [
        {
            "name": "SLAC", "href": f"{base}/{HOME}", "url_route": "slac", "destination": "nav", "nav_top_level": True,
            "icon": _icon("#3f3f46"), "icon_dark_mode": _icon("#e4e4e7"),
        }
    ]  # fmt: skip


async def _welcome(scope: Any, receive: Any, send: Any) -> None:
    """Serve the welcome's script; imported here, so that other processes of Airflow stay light."""
    from starlette.staticfiles import StaticFiles

    await StaticFiles(directory=Path(__file__).parent / "slac_welcome")(scope, receive, send)


class SlacPlugin(AirflowPlugin):
    """Pages of the platform."""

    name = "slac"
    deadline_references = [RunMade]  # noqa: RUF012 - Airflow's own declaration
    external_views: list[Any] = []  # noqa: RUF012 - Airflow's own declaration

    if _base := address(os.environ):
        external_views = _views(_base)
    # The script is a module of this address; what stands behind `?` tells it where the pages are.
    _script = f"{WELCOME.removeprefix('/')}/welcome.js?{urlencode({'pages': _base} if _base else {})}"
    react_apps = [{"name": "slac", "bundle_url": _script, "destination": "dashboard"}]  # noqa: RUF012 - as above

    # Every process of Airflow loads the plugin; the api-server alone asks for this.
    @cached_property
    def fastapi_apps(self) -> list[Any]:
        """The welcome, and the pages where Airflow itself serves them."""
        welcome = {"app": _welcome, "url_prefix": WELCOME, "name": "slac welcome"}
        pages = [{"app": _mounted(), "url_prefix": MOUNTED, "name": "slac"}] if is_mounted(os.environ) else []
        return [welcome, *pages]
