"""Publications as JSON and back, exactly; and the card that lists show of a task."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.status import TaskKind

PUBLICATION: TypeAdapter[Publication] = TypeAdapter(Publication)


def encode(publication: Publication) -> str:
    return PUBLICATION.dump_json(publication).decode()


def decode(document: str) -> Publication:
    return PUBLICATION.validate_json(document)


def card(publication: Publication, task: CompiledTask) -> dict[str, Any]:
    """What a list shows of every instance of a task; several owners, priorities, projects for metrics tables."""
    definition = task.definition
    metrics = [one for one in task.fields if not one.key]
    projects = _distinct([definition.project, *(one.project for one in metrics)])
    return {
        "description": definition.description,
        "priorities": _distinct(
            [one.priority.word for one in metrics if one.priority is not None] or [definition.priority.word]
        ),
        "owners": _distinct([definition.owner, *(one.owner for one in metrics)]),
        "projects": projects,
        "project_display_names": [publication.project.display_name or definition.project, *projects[1:]],
        "tags": list(definition.tags),
        "resource_group": "" if definition.kind is TaskKind.MODELING else definition.resource_group,
        "timezone": publication.project.timezone,
    }


def facets(publication: Publication, task: CompiledTask) -> list[tuple[str, str]]:
    """(facet, value) pairs that lists filter by."""
    shown = card(publication, task)
    pairs = [("owner", value) for value in shown["owners"]]
    pairs += [("priority", value) for value in shown["priorities"]]
    pairs += [("project", value) for value in shown["projects"]]
    pairs += [("tag", value) for value in shown["tags"]]
    return pairs


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _distinct(words: list[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
