"""Decides the status of a field from its nodes, and the counts of a table instance from its fields and
nodes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.window import NONE, Window, optional
from fieldwise.model.event import InstanceState
from fieldwise.model.status import FieldStatus, Status

STATUSES, FIELD_STATUSES = len(Status), len(FieldStatus)


def field_status(statuses: Iterable[Status]) -> FieldStatus:
    """First match wins (spec 3, "Field status")."""
    nodes = list(statuses)
    if Status.SUCCEEDED in nodes:
        return FieldStatus.SUCCEEDED
    if Status.RUNNING in nodes:
        return FieldStatus.RUNNING
    if any(status.waiting for status in nodes):
        return FieldStatus.WAITING
    if nodes and all(status is Status.FAILED for status in nodes):
        return FieldStatus.FAILED
    return FieldStatus.NOT_RUNNING


# The status of a field that exactly one node makes.
OF_ONE: Array = np.array([field_status([status]) for status in Status], dtype=np.int64)


def fold_counts(counts: Array) -> Array:
    """Field statuses from counts by node status, shape (n, 7) -> (n,): the same rules, many at once."""
    waiting = counts[:, Status.WAITING_TIME : Status.WAITING_RESOURCES + 1].sum(axis=1)
    failed = counts[:, Status.FAILED]
    answer: Array = np.select(
        [
            counts[:, Status.SUCCEEDED] > 0,
            counts[:, Status.RUNNING] > 0,
            waiting > 0,
            (failed > 0) & (counts[:, 0] == 0),
        ],
        [FieldStatus.SUCCEEDED, FieldStatus.RUNNING, FieldStatus.WAITING, FieldStatus.FAILED],
        FieldStatus.NOT_RUNNING,
    )
    return answer


def instance_states(window: Window, owners: Array) -> list[InstanceState]:
    """The derived columns of the instances, from the rows of their nodes alone."""
    rows, sizes = window.rows_of(owners)
    spot = np.repeat(np.arange(len(owners)), sizes)
    status = window.status[rows].astype(np.int64)
    nodes = np.bincount(spot * STATUSES + status, minlength=len(owners) * STATUSES).reshape(-1, STATUSES)
    fields = _field_counts(window, owners, rows, spot, status, nodes)
    begins = np.cumsum(sizes) - sizes
    started, ended, marks = window.started_at[rows], window.ended_at[rows], window.marks[rows]
    started = np.minimum.reduceat(np.where(started == NONE, -NONE, started), begins)
    started = np.where(started == -NONE, NONE, started)
    ended = np.where(nodes[:, Status.RUNNING] > 0, NONE, np.maximum.reduceat(ended, begins))
    columns = (
        window.instance_id[owners].tolist(),
        zip(*nodes.T.tolist(), strict=True),
        zip(*fields.T.tolist(), strict=True),
        optional(started),
        optional(ended),
        np.bitwise_or.reduceat(marks, begins).tolist(),
        np.add.reduceat(window.run[rows].astype(np.int64), begins).tolist(),
    )
    return list(map(tuple.__new__, repeat(InstanceState), zip(*columns, strict=True)))


def _field_counts(
    window: Window, owners: Array, rows: Array, spot: Array, status: Array, nodes: Array
) -> Array:
    catalog = window.catalog
    weights = catalog.node_fields[window.node[rows]]
    places = spot * FIELD_STATUSES + OF_ONE[status]
    counts = np.bincount(places, weights=weights, minlength=len(owners) * FIELD_STATUSES)
    fields = counts.astype(np.int64).reshape(-1, FIELD_STATUSES)
    versions = window.instances.version[owners]
    for i in np.flatnonzero(catalog.version_shares[versions]).tolist():
        mine = spot == i
        fields[i] = _shared_counts(window, int(versions[i]), rows[mine])
    keys = catalog.keys_of_version[versions]
    fields[np.arange(len(owners)), fold_counts(nodes)] += keys
    return fields


def _shared_counts(window: Window, version: int, rows: Array) -> list[int]:
    """Non-key fields of an instance some of whose fields have several nodes."""
    status_of = {int(window.node[row]): Status(int(window.status[row])) for row in rows}
    numbers = window.catalog.version_nodes[version]
    counts = [0] * FIELD_STATUSES
    for makers in window.catalog.version_general[version] or ():
        present = [status_of[numbers[i]] for i in makers if numbers[i] in status_of]
        counts[field_status(present)] += 1
    return counts
