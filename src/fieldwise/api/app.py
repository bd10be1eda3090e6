"""Builds the HTTP application around an open deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from fieldwise import __version__
from fieldwise.api import acting, emergency, errors, health, links, models, operating, reading, static
from fieldwise.api.feed import Feed, Log
from fieldwise.api.links import Links
from fieldwise.api.security import Gate
from fieldwise.api.services import Deployment

PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": models.Failure, "content": {"application/problem+json": {}}, "description": words}
    for status, words in (
        (400, "Asked for something that makes no sense"),
        (401, "Not signed in"),
        (404, "Does not exist"),
        (409, "Something else happened first"),
        (422, "Not understood or refused"),
    )
}


def create_app(deployment: Deployment | None, token: str, boot_id: str = "") -> FastAPI:
    """`deployment` None builds the contract alone (for the OpenAPI document)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if deployment is not None:
            app.state.feed = Feed(cast(Log, deployment.store))
        yield
        if deployment is not None:
            await app.state.feed.close()

    app = FastAPI(
        title="Fieldwise", version=__version__, description="The operations centre's API. Errors are application/problem+json with a stable `code`.",
        lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json", responses=PROBLEMS,
    )  # fmt: skip
    app.state.deployment = deployment
    app.state.boot_id = boot_id
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.state.links = Links()
    app.add_middleware(Gate, token=token, links=app.state.links)
    errors.install(app)
    for router in (
        health.router,
        reading.router,
        acting.router,
        operating.router,
        emergency.router,
        links.router,
    ):
        app.include_router(router)
    static.install(app)
    return app
