"""The web app from the package: hashed files for ever, the page itself never kept, any other path is the app's own."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response

from fieldwise.api.errors import problem

FOLDER = (Path(__file__).parent / "static").resolve()
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def install(app: FastAPI) -> None:
    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith(("api/", "health/")):
            return problem(404, "not_found", f"there is no /{path}")
        file = (FOLDER / path).resolve()
        if path and file.is_file() and file.is_relative_to(FOLDER):
            return FileResponse(
                file, headers=FOR_EVER if path.startswith("assets/") else {"Cache-Control": "no-cache"}
            )
        if path.startswith("assets/"):
            return problem(
                404, "not_found", f"there is no /{path}", hint="reload the page: the server was updated"
            )
        index = FOLDER / "index.html"
        if not index.is_file():
            return problem(
                503,
                "web_not_built",
                "The web app is not built",
                hint="run `make web`; the API works without it",
            )
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
