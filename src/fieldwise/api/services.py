"""What the handlers call: the open deployment, typed as far as they need it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from fieldwise.usecases.browse import Browser
from fieldwise.wiring import Deployment


def deployment(request: Request) -> Deployment:
    found: Deployment = request.app.state.deployment
    return found


def browser(request: Request) -> Browser:
    return deployment(request).browse


Reading = Annotated[Browser, Depends(browser)]
Acting = Annotated[Deployment, Depends(deployment)]
