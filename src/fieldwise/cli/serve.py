"""`serve`: the operations centre with its scheduler and workers, until a signal ends it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home
from fieldwise.cli.output import out, print_json
from fieldwise.cli.server import running_server
from fieldwise.model.errors import FieldwiseError, NotFound
from fieldwise.wiring import open_home

if TYPE_CHECKING:
    import uvicorn

CLOSE_SECONDS = 8.0


class PortTaken(FieldwiseError):
    """Another program listens on the port."""

    code = "port_taken"


def serve(
    home: Home = DEFAULT_HOME,
    host: Annotated[
        str, typer.Option(help="Address to listen on; loopback unless told otherwise.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8230,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
    catch_up: Annotated[
        Literal["all", "latest", "none"] | None,
        typer.Option("--catch-up", help="What to do with missed days when more than 7 days behind."),
    ] = None,
) -> None:
    """Serve the operations centre: web, API, scheduler and workers in one process.

    Example: fieldwise serve --open
    """
    serve_home(home, host, port, open_browser, catch_up or "")


def serve_home(home: Path, host: str, port: int, open_browser: bool = False, catch_up: str = "") -> None:
    """Listen first, then lead: a port that is taken is found before anything starts."""
    import uvicorn  # a third of the time every other command would take to start

    from fieldwise.api.app import create_app

    listening = _listen(host, port)
    address = listening.getsockname()
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{address[1]}"
    token, boot = secrets.token_urlsafe(32), secrets.token_hex(8)
    with open_home(home) as deployment:
        deployment.serve(catch_up=catch_up)
        app = create_app(deployment, token, boot)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=3,
            )
        )
        with _server_file(home, url, boot, token), _signals(server):
            link = f"{url}{app.state.links.draw()}"
            out.print(
                f"Fieldwise serves [bold]{escape(str(home))}[/]. Open this link; it signs one browser in, once:\n\n  [bold cyan]{link}[/]\n",
                soft_wrap=True,
            )
            out.print("Ctrl+C ends it.")
            if open_browser:
                threading.Timer(0.5, webbrowser.open, [link]).start()
            server.run(sockets=[listening])
        deployment.close(grace=CLOSE_SECONDS)
    out.print("ended; running attempts are found again at the next start")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror}",
            "choose another --port, or 0 for any free one",
        ) from None
    return listening


@contextlib.contextmanager
def _server_file(home: Path, url: str, boot: str, token: str) -> Iterator[None]:
    """HOME/server.json, readable by this user only: how the command line finds the server and gets in."""
    path = home / "server.json"
    document = json.dumps({"url": url, "pid": os.getpid(), "boot_id": boot, "token": token})
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(document)
    os.chmod(path, 0o600)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _signals(server: uvicorn.Server) -> Iterator[None]:
    """SIGTERM and Ctrl+C end the server once; uvicorn would raise them again afterwards."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    before = [(number, signal.signal(number, stop)) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def link(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Print another link to the running server; it signs one browser in, once.

    Example: fieldwise link
    """
    server = running_server(home)
    if server is None:
        raise NotFound(f"no server runs on {home}", "fieldwise serve starts one and prints a link")
    url = server.url + server.post("login-links", {})["path"]
    if as_json:
        print_json({"url": url})
    else:
        out.print(url, soft_wrap=True)


def attach(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(link)
