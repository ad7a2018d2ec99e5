"""The HTTP application: routes, errors, access, and the OpenAPI description at `/openapi.json`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from api.access import Access
from api.errors import HANDLERS

MOST_BODY_BYTES: Final = 64 * 1024

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    routes: Sequence[HTTPRouteHandler], token: str | None, version: str, lifespan: Sequence[Lifespan]
) -> ASGIApp:
    """The application of these routes. `lifespan`: what runs beside it; `token`: see access.py."""
    bearer = SecurityScheme(type="http", scheme="bearer", description="COMMCREDITS_API_TOKEN")
    app = Litestar(
        route_handlers=routes,
        exception_handlers=HANDLERS,
        openapi_config=OpenAPIConfig(
            title="commcredits",
            version=version,
            description="Prepaid credit for telephony: usage in, credit down, every charge provable.",
            path="/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(security_schemes={"token": bearer}),
            security=[{"token": []}] if token else None,
            use_handler_docstrings=True,
        ),
        request_max_body_size=MOST_BODY_BYTES,
        lifespan=lifespan,
        logging_config=None,
    )
    return Access(app, token)
