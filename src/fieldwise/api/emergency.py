"""The endpoints of the emergency wizard (spec 4): a draft that only goes forward."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from fieldwise.api import operation_models as models
from fieldwise.api.services import Actor, Wizard

router = APIRouter(prefix="/api/v1/emergency-drafts")


@router.post("", status_code=201, response_model=models.Draft, operation_id="beginEmergency")
def begin(wizard: Wizard, actor: Actor, body: models.DraftAsked) -> dict[str, Any]:
    return wizard.begin(body.instance, actor)


@router.put("/{id}/basic", response_model=models.DraftProjects, operation_id="lockEmergencyBasic")
def basic(wizard: Wizard, actor: Actor, id: str, body: models.BasicAsked) -> dict[str, Any]:
    return wizard.basic(id, body.start == "children", body.cross_day, body.confirmed, actor)


@router.put("/{id}/projects", response_model=models.DraftImpact, operation_id="lockEmergencyProjects")
def projects(wizard: Wizard, actor: Actor, id: str, body: models.ProjectsAsked) -> dict[str, Any]:
    return wizard.projects(id, body.selected, body.confirmed, actor)


@router.post(
    "/{id}/submit", status_code=201, response_model=models.OperationItem, operation_id="submitEmergency"
)
def submit(wizard: Wizard, actor: Actor, id: str, body: models.SubmitAsked) -> dict[str, Any]:
    return wizard.submit(id, body.hash, body.reason, body.accepted, actor)
