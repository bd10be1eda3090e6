"""The endpoints of operations (spec 4, "Contracts"): parse, ask the operator, respond."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query

from fieldwise.api import operation_models as models
from fieldwise.api.services import Actor, Operating
from fieldwise.model.operation import Verb
from fieldwise.usecases.operate import parse_until
from fieldwise.usecases.operation_words import request_of

router = APIRouter(prefix="/api/v1")
Number = Annotated[int, Path(ge=0, le=2**62)]


@router.post("/plans", status_code=201, response_model=models.PlanBody, operation_id="planOperation")
def plan(operate: Operating, actor: Actor, body: models.PlanAsked) -> dict[str, Any]:
    """What the operation would do. Changes nothing and is not logged; lives for 15 minutes."""
    return operate.plan(request_of(body.model_dump()), actor)


@router.get("/plans/{plan}", response_model=models.PlanBody, operation_id="getPlan")
def get_plan(operate: Operating, plan: str) -> dict[str, Any]:
    return operate.known_plan(plan)


@router.post(
    "/operations", status_code=201, response_model=models.OperationItem, operation_id="confirmOperation"
)
def confirm(
    operate: Operating,
    actor: Actor,
    body: models.ConfirmAsked,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> dict[str, Any]:
    """Apply exactly that plan, or, if something it rests on has changed, nothing: 409 `plan_stale`."""
    return operate.confirm(body.plan, body.hash, body.reason, actor, idempotency_key)


@router.get("/operations", response_model=models.OperationPage, operation_id="listOperations")
def list_operations(
    operate: Operating,
    object: str | None = None,
    verb: str | None = None,
    operator: str | None = None,
    source: str | None = None,
    instance: int | None = None,
    from_: Annotated[str | None, Query(alias="from")] = None,
    to: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$")] = None,
) -> dict[str, Any]:
    """The operation history, newest first."""
    filters = {
        "object": object,
        "verb": verb,
        "actor": operator,
        "source": source,
        "instance": instance,
        "first": None if from_ is None else parse_until(from_),
        "last": None if to is None else parse_until(to),
    }
    return operate.operations(filters, limit, cursor)


@router.get("/operations/{operation}", response_model=models.OperationDetail, operation_id="getOperation")
def get_operation(operate: Operating, operation: Number) -> dict[str, Any]:
    return operate.operation(operation)


@router.post(
    "/operations/{operation}/undo",
    status_code=201,
    response_model=models.OperationItem | models.PlanBody,
    operation_id="undoOperation",
)
def undo(
    operate: Operating,
    actor: Actor,
    operation: Number,
    body: models.UndoAsked,
    plan_only: bool = False,
) -> dict[str, Any]:
    """Take an operation back; with `plan_only` only what that would do."""
    planned = operate.plan_undo(operation, actor)
    if plan_only:
        return planned
    return operate.confirm(planned["plan"], planned["hash"], body.reason, actor)


@router.post(
    "/operations/{operation}/cancel", response_model=models.OperationItem, operation_id="cancelOperation"
)
def cancel(operate: Operating, actor: Actor, operation: Number) -> dict[str, Any]:
    """Apply nothing more of an operation that is being applied."""
    return operate.cancel(operation, actor)


@router.get(
    "/instances/{id}/operations", response_model=models.OperationPage, operation_id="listInstanceOperations"
)
def instance_operations(
    operate: Operating, id: Number, limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: str | None = None
) -> dict[str, Any]:
    return operate.operations({"instance": id}, limit, cursor)


@router.get(
    "/instances/{id}/choices", response_model=list[models.FieldChoice], operation_id="listFieldChoices"
)
def choices(
    operate: Operating, actor: Actor, id: Number, verb: models.VerbWord, fields: str = ""
) -> list[dict[str, Any]]:
    """Every field as the picker shows it, when `fields` (a,b) are chosen."""
    names = [name for name in fields.split(",") if name]
    return operate.choices(id, Verb(verb), names, actor)
