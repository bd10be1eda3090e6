"""Whether a task would compile to the same: a hash of its text, header, parameters and what it reads."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.references import references_of
from fieldwise.model.definition import ProjectDefinition, TaskDefinition

VERSION = "1"
"""Raised when the compiler's answers change."""


def fingerprint(definition: TaskDefinition, project: ProjectDefinition, catalogue: Catalogue) -> str:
    """Equal fingerprints mean an equal compilation. Upstream counts by its shape: columns, types, keys, nodes."""
    digest = hashlib.sha256()
    bare = replace(definition, file="", positions=())
    for piece in (VERSION, repr(bare), repr(project.parameters), project.engine, project.name):
        digest.update(piece.encode())
        digest.update(b"\0")
    for name in sorted(references_of(definition, project) - {definition.name.lower()}):
        digest.update(catalogue.shape(name, definition.project).encode())
        digest.update(b"\0")
    return digest.hexdigest()
