"""What the command line asks of a running server: check, plan and publish folders of this machine."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fieldwise.api.services import Acting

router = APIRouter(prefix="/api/v1")


class Folders(BaseModel):
    folders: list[str] = Field(
        min_length=1, max_length=100, description="project folders on the server's machine"
    )


@router.post("/definitions/check", operation_id="checkDefinitions")
def check(acting: Acting, body: Folders) -> dict[str, Any]:
    problems = acting.check(body.folders).problems
    errors = [
        {
            "file": p.file,
            "line": p.line,
            "column": p.column,
            "code": p.code.value,
            "message": p.message,
            "hint": p.hint,
        }
        for p in problems
    ]
    return {"ok": not errors, "errors": errors}


@router.post("/definitions/plan", operation_id="planDefinitions")
def plan(acting: Acting, body: Folders) -> dict[str, Any]:
    return acting.plan(body.folders)


@router.post("/definitions", operation_id="publishDefinitions")
def publish(acting: Acting, body: Folders) -> dict[str, Any]:
    return {
        "projects": [
            {
                "project": one.publication.project.name,
                "version": one.publication.version,
                "changed": one.changed,
                "changes": [{"table": c.table, "change": c.change, "detail": c.detail} for c in one.changes],
            }
            for one in acting.publish(body.folders)
        ]
    }
