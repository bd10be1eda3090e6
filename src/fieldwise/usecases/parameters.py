"""The values bound to the placeholders of a slot's SQL (spec 2, "Rules of the SQL")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from fieldwise.model.attempt import SlotValues
from fieldwise.model.definition import Parameter

INSTANTS = ("scheduled_at", "slot_start", "slot_end", "day_start", "day_end")


def slot_values(values: SlotValues) -> dict[str, object]:
    """TIMESTAMP parameters are UTC without a zone, as in the warehouse."""
    instants = {name: getattr(values, name).astimezone(UTC).replace(tzinfo=None) for name in INSTANTS}
    return {"data_date": values.data_date, **instants}


def project_values(parameters: Sequence[Parameter]) -> dict[str, object]:
    return {parameter.name: typed(parameter) for parameter in parameters}


def typed(parameter: Parameter) -> object:
    """The value as the engine should bind it."""
    kind, value = parameter.type.upper(), parameter.value
    if value is None:
        return None
    if kind.startswith(("DECIMAL", "NUMERIC")):
        return Decimal(str(value))
    if kind == "DATE" and isinstance(value, str):
        return date.fromisoformat(value)
    if kind.startswith("TIMESTAMP") and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
