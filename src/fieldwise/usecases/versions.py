"""Which compiled version of a task is in force, and which one an old instance carries."""

from __future__ import annotations

from collections.abc import Iterable

from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.status import Environment
from fieldwise.ports.store import Store


def project_of(task: str) -> str:
    """The project that published a task: the part of its name before the dot."""
    return task.partition(".")[0]


class Versions:
    """The publications of one environment: those active, and older ones read from the store when asked for."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store = store
        self.environment = environment
        self._publications: dict[tuple[str, int], Publication] = {}
        self._tasks: dict[tuple[str, int], CompiledTask] = {}
        self._active: dict[str, Publication] = {}
        for publication in store.active_publications(environment):
            self.activate(publication)

    def activate(self, publication: Publication) -> None:
        self._active[publication.project.name] = publication
        self._keep(publication)

    def _keep(self, publication: Publication) -> None:
        self._publications[publication.project.name, publication.version] = publication
        for task in publication.tasks:
            self._tasks[task.name, publication.version] = task

    @property
    def active(self) -> tuple[Publication, ...]:
        return tuple(self._active.values())

    def project(self, name: str) -> Publication | None:
        """The active publication of a project."""
        return self._active.get(name)

    def publication(self, project: str, version: int) -> Publication:
        found = self._publications.get((project, version))
        if found is None:
            found = self._store.publication(self.environment, project, version)
            self._keep(found)
        return found

    def task(self, name: str, version: int) -> CompiledTask:
        """A task as the version of an instance knows it."""
        if (name, version) not in self._tasks:
            self.publication(project_of(name), version)
        return self._tasks[name, version]

    def in_force(self, name: str) -> tuple[Publication, CompiledTask] | None:
        """The active version of a task, None if it is offline or unknown."""
        publication = self._active.get(project_of(name))
        if publication is None:
            return None
        task = self._tasks.get((name, publication.version))
        return (publication, task) if task is not None else None

    def named(self, pairs: Iterable[tuple[str, int]]) -> list[Publication]:
        """The active publications and those that the (task, version) pairs name, each once, oldest version first."""
        wanted = {(project_of(task), version) for task, version in pairs}
        wanted |= {(p.project.name, p.version) for p in self.active}
        return [self.publication(project, version) for project, version in sorted(wanted)]
