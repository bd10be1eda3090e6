"""Who may in: the token of HOME/server.json, or the session its one-time link opened; and the headers of every answer."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fieldwise.api.errors import problem
from fieldwise.api.links import Links
from fieldwise.model.access import LOCAL, Actor, Source

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
# What programs that hold the home's token may call themselves.
SOURCES: tuple[Source, ...] = ("api", "cli", "agent")


class Gate:
    """Lets requests through that carry the token or a session; the rest hear 401. Pure ASGI: streams pass untouched."""

    def __init__(self, app: ASGIApp, token: str, links: Links) -> None:
        self._app = app
        self._token = token
        self._links = links
        self._sessions: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        refused = self._refusal(request)
        await (refused or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """The answer of the gate itself; None lets the request through."""
        if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
            return problem(413, "too_large", "The request is larger than 8 MB")
        path = request.url.path
        if path == "/login":
            return self._login(request)
        protected = path.startswith("/api/") or path == "/metrics"
        actor = self._actor(request)
        if path not in OPEN_PATHS and protected and actor is None:
            return problem(
                401,
                "unauthorized",
                "Not signed in",
                "This needs a session or a token.",
                "open the link that `fieldwise serve` printed",
            )
        if protected and request.method not in SAFE_METHODS and not self._same_origin(request):
            return problem(403, "cross_origin", "This request came from another site")
        request.state.actor = actor
        return None

    def _actor(self, request: Request) -> Actor | None:
        """Whoever can read the home acts as `local`, in the browser as through the command line."""
        bearer = request.headers.get("authorization", "")
        if bearer.startswith("Bearer ") and hmac.compare_digest(bearer[7:].encode(), self._token.encode()):
            named = request.headers.get("x-fieldwise-source", "")
            return next((replace(LOCAL, source=source) for source in SOURCES if source == named), LOCAL)
        if request.cookies.get(COOKIE, "") in self._sessions:
            return replace(LOCAL, source="ui")
        return None

    def _same_origin(self, request: Request) -> bool:
        """A browser names the site a request comes from; programs with the token name none."""
        origin = request.headers.get("origin")
        return origin is None or origin.split("//", 1)[-1] == request.headers.get("host", "")

    def _login(self, request: Request) -> Response:
        if not self._links.use(request.query_params.get("token", "")):
            if request.cookies.get(COOKIE, "") in self._sessions:
                return RedirectResponse("/", 303)  # the same browser followed its link again
            return problem(
                401,
                "unauthorized",
                "This link is not valid any more",
                "A link signs one browser in, once.",
                "`fieldwise link` prints another one",
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
