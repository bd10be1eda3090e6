"""What the handlers call: an open deployment, as far as they need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from fieldwise.model import access
from fieldwise.ports.engine import Rows
from fieldwise.ports.store import Store
from fieldwise.usecases.browse import Browser
from fieldwise.usecases.emergency import Emergency
from fieldwise.usecases.operate import Operator


class Deployment(Protocol):
    """The part of wiring.Deployment that HTTP shows."""

    @property
    def browse(self) -> Browser: ...

    @property
    def operate(self) -> Operator: ...

    @property
    def emergency(self) -> Emergency: ...

    @property
    def store(self) -> Store: ...

    def check(self, folders: Sequence[str | Path]) -> Any: ...

    def plan(self, folders: Sequence[str | Path]) -> dict[str, Any]: ...

    def publish(self, folders: Sequence[str | Path]) -> Sequence[Any]: ...

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows: ...


def deployment(request: Request) -> Deployment:
    found: Deployment = request.app.state.deployment
    return found


def browser(request: Request) -> Browser:
    return deployment(request).browse


def operator(request: Request) -> Operator:
    return deployment(request).operate


def emergency(request: Request) -> Emergency:
    return deployment(request).emergency


def actor(request: Request) -> access.Actor:
    """Who acts: the gate found out."""
    found: access.Actor = request.state.actor
    return found


Operating = Annotated[Operator, Depends(operator)]
Wizard = Annotated[Emergency, Depends(emergency)]
Actor = Annotated[access.Actor, Depends(actor)]
Reading = Annotated[Browser, Depends(browser)]
Acting = Annotated[Deployment, Depends(deployment)]
