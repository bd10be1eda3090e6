"""Publishes a compiled project: a pending row, the tables' shapes in one engine transaction, then active."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fieldwise import telemetry
from fieldwise.model.errors import EngineRefused
from fieldwise.model.plan import Change, CompiledTask, Publication
from fieldwise.model.status import Environment, TaskKind
from fieldwise.ports.engine import Engine, ShapeChange, TableShape
from fieldwise.ports.store import Store
from fieldwise.usecases.facts import relation_of
from fieldwise.usecases.plan import changes_between


@dataclass(frozen=True, slots=True)
class PublishResult:
    """`changed` False: the same definitions were active already, and nothing was written."""

    publication: Publication
    changed: bool
    changes: tuple[Change, ...] = ()


def publish(store: Store, engine: Engine, epoch: int, candidate: Publication, now: datetime) -> PublishResult:
    """Make `candidate` the active version of its project. Raises EngineRefused, and then nothing has changed."""
    active = active_publication(store, candidate.environment, candidate.project.name)
    if active is not None and active.fingerprint == candidate.fingerprint:
        # Views on files belong to the warehouse file, which may be new; making them again is harmless.
        engine.register_sources(candidate.project.folder, candidate.project.sources)
        return PublishResult(active, changed=False)
    pending = store.begin_publication(epoch, candidate, now)
    _complete(store, engine, epoch, active, pending, now)
    return PublishResult(pending, True, tuple(changes_between(active, pending)))


def settle_publications(store: Store, engine: Engine, epoch: int, now: datetime) -> None:
    """What a crash left pending becomes active, or is taken back if the engine refuses it."""
    for pending in store.pending_publications():
        active = active_publication(store, pending.environment, pending.project.name)
        if active is not None and active.version > pending.version:
            store.revert_publication(epoch, pending.environment, pending.project.name, pending.version)
            continue
        try:
            _complete(store, engine, epoch, active, pending, now)
        except EngineRefused as error:
            telemetry.warning("publication_reverted", project=pending.project.name, reason=error.message)


def _complete(
    store: Store, engine: Engine, epoch: int, active: Publication | None, pending: Publication, now: datetime
) -> None:
    """The steps after the pending row; each may be repeated."""
    project = pending.project
    environment = pending.environment
    try:
        engine.register_sources(project.folder, project.sources)
        changes = shape_changes(active, pending)
        if changes:
            engine.change_shapes(changes, f"{environment.value}/{project.name}/{pending.version}")
    except EngineRefused:
        store.revert_publication(epoch, environment, project.name, pending.version)
        raise
    store.activate_publication(epoch, environment, project.name, pending.version, now)


def active_publication(store: Store, environment: Environment, project: str) -> Publication | None:
    found = [p for p in store.active_publications(environment) if p.project.name == project]
    return found[0] if found else None


def shape_changes(active: Publication | None, candidate: Publication) -> list[ShapeChange]:
    """How the physical tables get from one version to the next; nothing is ever destroyed (spec 2, "Publish")."""
    before = _shapes(active.tasks, candidate.environment) if active is not None else {}
    after = _shapes(candidate.tasks, candidate.environment)
    changes = [ShapeChange("remove", shape) for name, shape in before.items() if name not in after]
    for name, shape in after.items():
        changes += _change(before.get(name), shape)
    return changes


def _shapes(tasks: Iterable[CompiledTask], environment: Environment) -> dict[str, TableShape]:
    return {
        task.name: TableShape(
            relation_of(environment, task.name),
            task.partition_type,
            tuple((field.name, field.type) for field in task.fields),
            task.key,
        )
        for task in tasks
        if task.definition.kind is TaskKind.MODELING
    }


def _change(before: TableShape | None, after: TableShape) -> list[ShapeChange]:
    if before is None:
        return [ShapeChange("create", after)]
    old, new = dict(before.columns), dict(after.columns)
    retyped = any(new[name] != kind for name, kind in old.items() if name in new)
    if retyped or before.key != after.key or before.partition_type != after.partition_type:
        return [ShapeChange("replace", after, after.columns)]
    added = tuple(column for column in after.columns if column[0] not in old)
    dropped = tuple(column for column in before.columns if column[0] not in new)
    changes = [ShapeChange("add_columns", after, added)] if added else []
    return changes + ([ShapeChange("drop_columns", after, dropped)] if dropped else [])
