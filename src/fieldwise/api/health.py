"""Whether the process lives, whether it can serve, and its counters for Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from fieldwise.api.services import Acting, Reading

router = APIRouter()


@router.get("/health/live", operation_id="live")
def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/health/ready", operation_id="ready")
def ready(acting: Acting) -> dict[str, Any]:
    acting.store.setting("next_attempt")
    return {"status": "ready"}


@router.get("/metrics", operation_id="metrics", response_class=PlainTextResponse)
def metrics(browse: Reading) -> str:
    """Node instances of the last days by status, and slots in use."""
    overview = browse.overview()
    lines = [
        "# HELP fieldwise_node_instances Node instances by data timestamp and status.",
        "# TYPE fieldwise_node_instances gauge",
    ]
    for day in overview["days"]:
        lines += [
            f'fieldwise_node_instances{{data_timestamp="{day["data_timestamp"]}",status="{word}"}} {count}'
            for word, count in day["nodes"].items()
        ]
    lines += [
        "# HELP fieldwise_slots_used Slots of resource groups in use.",
        "# TYPE fieldwise_slots_used gauge",
    ]
    lines += [f'fieldwise_slots_used{{group="{one["name"]}"}} {one["used"]}' for one in overview["slots"]]
    return "\n".join(lines) + "\n"
