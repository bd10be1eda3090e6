"""One-time links that sign a browser in: each opens one session, and only whoever holds the home's token draws more."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from fastapi import APIRouter, Request

LINKS_AT_MOST = 100

router = APIRouter(prefix="/api/v1")


class Links:
    """Drawn and not yet opened. The oldest give way when there are too many."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, None] = OrderedDict()

    def draw(self) -> str:
        """A path that works once."""
        word = secrets.token_urlsafe(32)
        self._open[word] = None
        while len(self._open) > LINKS_AT_MOST:
            self._open.popitem(last=False)
        return f"/login?token={word}"

    def use(self, word: str) -> bool:
        """Whether the link was still unopened; it is opened now."""
        return self._open.pop(word, "no") is None


@router.post("/login-links", status_code=201, operation_id="drawLoginLink")
def draw(request: Request) -> dict[str, str]:
    """Another link that signs one browser in, once."""
    links: Links = request.app.state.links
    return {"path": links.draw()}
