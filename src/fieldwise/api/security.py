"""Who may in: the token of HOME/server.json, or the session its one-time link opened; and the headers of every answer."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fieldwise.api.errors import problem

COOKIE = "fieldwise_session"
OPEN_PATHS = frozenset({"/health/live", "/health/ready", "/login"})
LARGEST_BODY = 8 * 1024 * 1024
SESSIONS_AT_MOST = 1000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    # Ant Design writes its styles at run time; scripts come from files only.
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Next = Callable[[Request], Awaitable[Response]]


class Gate:
    """Lets requests through that carry the token or a session; the rest hear 401."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._sessions: set[str] = set()

    async def __call__(self, request: Request, call_next: Next) -> Response:
        answer = await self._answer(request, call_next)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    async def _answer(self, request: Request, call_next: Next) -> Response:
        if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
            return problem(413, "too_large", "The request is larger than 8 MB")
        path = request.url.path
        if path == "/login":
            return self._login(request)
        protected = path.startswith("/api/") or path == "/metrics"
        if path not in OPEN_PATHS and protected and not self._known(request):
            return problem(
                401,
                "unauthorized",
                "Not signed in",
                "This needs a session or a token.",
                "open the link that `fieldwise serve` printed",
            )
        if protected and request.method not in SAFE_METHODS and not self._same_origin(request):
            return problem(403, "cross_origin", "This request came from another site")
        return await call_next(request)

    def _known(self, request: Request) -> bool:
        bearer = request.headers.get("authorization", "")
        if bearer.startswith("Bearer ") and hmac.compare_digest(bearer[7:].encode(), self._token.encode()):
            return True
        return request.cookies.get(COOKIE, "") in self._sessions

    def _same_origin(self, request: Request) -> bool:
        """A browser names the site a request comes from; programs with the token name none."""
        origin = request.headers.get("origin")
        return origin is None or origin.split("//", 1)[-1] == request.headers.get("host", "")

    def _login(self, request: Request) -> Response:
        given = request.query_params.get("token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return problem(
                401,
                "unauthorized",
                "This link is not valid any more",
                hint="open the link that `fieldwise serve` printed last",
            )
        if len(self._sessions) >= SESSIONS_AT_MOST:
            self._sessions.clear()
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, session, httponly=True, samesite="strict", path="/", secure=request.url.scheme == "https"
        )
        return answer
