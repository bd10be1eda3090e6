"""Finds the server that runs on a home, and talks to it: with one running, the command line is its client (spec 5)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx

from fieldwise.client import Client

SOURCE = "cli"  # how the operation log names what comes from here


def running_server(home: Path) -> Client | None:
    """The server of a home, if its process lives and answers."""
    address = os.environ.get("FIELDWISE_SERVER")
    if address:
        return Client(address.rstrip("/"), os.environ.get("FIELDWISE_TOKEN", ""), SOURCE)
    try:
        said = json.loads((home / "server.json").read_text(encoding="utf-8"))
        os.kill(int(said["pid"]), 0)
        server = Client(str(said["url"]), str(said["token"]), SOURCE)
        httpx.get(f"{server.url}/health/live", timeout=2.0, trust_env=False).raise_for_status()
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return None
    return server
