"""The event log folds to the state table, always; after any random batches, and after a crash."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from stored_shop import AT, DAY, PROD, Shop, opened

from fieldwise.model.event import CommitBatch, Event, NodeState, RunEnd, RunStart, Transition
from fieldwise.model.status import Mark, RunOutcome, Status
from fieldwise.store.sqlite import SqliteStore

Folded = dict[int, tuple[int, int, int, int]]


def fold(shop: Shop) -> Folded:
    """(status, marks, run, attempt) of every node instance from its events alone."""
    state: Folded = {}
    for owner in sorted({firing.instance for firing in shop.born}):
        for event in shop.store.events(owner):
            before = state.get(event.node_instance)
            assert before is None or before[0] == event.before, (
                "an event does not begin where the last one ended"
            )
            state[event.node_instance] = (event.after, event.marks, event.run, event.attempt)
    return state


def stored(shop: Shop) -> Folded:
    return {n: (s.status, s.marks, s.run, s.attempt) for n, s in shop.states().items()}


MOVES = {
    Status.NOT_RUNNING: [(Event.UPSTREAM_DONE, Status.WAITING_TIME), (Event.MARKED, Status.NOT_RUNNING)],
    Status.WAITING_TIME: [(Event.STARTED, Status.RUNNING), (Event.UPSTREAM_UNDONE, Status.NOT_RUNNING)],
    Status.RUNNING: [(Event.SUCCEEDED, Status.SUCCEEDED), (Event.FAILED, Status.FAILED)],
    Status.SUCCEEDED: [(Event.RERUN, Status.NOT_RUNNING), (Event.MARKED, Status.SUCCEEDED)],
    Status.FAILED: [(Event.RETRY_PLANNED, Status.WAITING_TIME), (Event.FORCED_SUCCESS, Status.SUCCEEDED)],
}


def step(shop: Shop, state: NodeState, batch: CommitBatch, choice: int, at: int) -> NodeState:
    """One move of one node instance, written into the batch."""
    event, status = MOVES[Status(state.status)][choice]
    marks = state.marks ^ int(Mark.ROWS_DIFFER) if event is Event.MARKED else state.marks
    after = state._replace(status=int(status), marks=marks)
    if event is Event.STARTED:
        shop.attempts += 1
        after = after._replace(run=state.run + 1, attempt=shop.attempts, started_at=at, ended_at=None)
        batch.run_starts.append(
            RunStart(state.id, after.run, after.attempt, at, 1, "automatic", "", after.attempt)
        )
    if status.final and state.status == Status.RUNNING:
        after = after._replace(ended_at=at)
        outcome = RunOutcome.SUCCEEDED if status is Status.SUCCEEDED else RunOutcome.FAILED
        batch.run_ends.append(RunEnd(state.id, after.run, after.attempt, at, outcome))
    batch.transitions.append(
        Transition(
            state.id, event, state.status, after.status, after.marks, at, after.run, after.attempt, 0, ""
        )
    )
    return after


MOVE = st.tuples(st.integers(0, 11), st.integers(0, 1))
BATCH = st.tuples(st.integers(0, DAY), st.lists(MOVE, max_size=6))


@settings(max_examples=60)
@given(batches=st.lists(BATCH, max_size=12))
def test_the_log_folds_to_the_state(batches: list[tuple[int, list[tuple[int, int]]]]) -> None:
    shop = opened(SqliteStore(":memory:"))
    shop.generate(slots=2)
    states = {firing.state.id: firing.state for firing in shop.born}
    ids, at = sorted(states), AT
    for pause, moves in batches:
        at += pause
        batch, touched = CommitBatch(at), {}
        for place, choice in moves:
            states[ids[place]] = touched[ids[place]] = step(shop, states[ids[place]], batch, choice, at)
        batch.nodes = list(touched.values())
        shop.store.commit(shop.epoch, batch)
    assert shop.states() == states
    assert fold(shop) == stored(shop)
    starts = sum(state.run for state in states.values())
    assert sum(len(shop.store.runs(owner)) for owner in {f.instance for f in shop.born}) == starts
    assert len(list(shop.store.window(PROD))) == 12
    shop.store.close()
