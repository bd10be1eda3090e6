"""Decides what may run: the open window in arrays, THE TABLE, readiness, dispatch order, status folds.

How the leader uses it (one `Fleet` per environment; instants are integer microseconds, days integer days)::

    facts = Facts(births=store.births(env), gaps=store.gaps(env), slots=slots, purged=purged,
    day_bounds=bounds)
    fleet = Fleet(publications, store.window(env), facts, next_attempt=store.next_attempt(),
                  options=Options(default_slots=4))
    decision = fleet.take([], now)                       # first decision after a start
    decision = fleet.take([report, report, Added(born.firings), Answer(question, True)], now)
    store.commit(epoch, decision.batch)                  # first write, then act
    for start in decision.starts: ...                    # values.Start -> AttemptRequest -> worker.start
    for interrupt in decision.interrupts: worker.interrupt(interrupt.attempt, interrupt.code)
    # call take([], now) again at decision.next_time at the latest; ask decision.questions every 60 s

- `facts.slots(task, data_day)` -> `[(scheduled_at, slot_start), ...]`: what the calendar has for the task's
  version
  in force, whether or not it was generated; `()` for no slot. Called only for days the window does not hold.
- `facts.purged(task, scheduled_at)`: generated once, succeeded, no longer in the window.
- `facts.day_bounds(project, data_day)` -> `(day_start, day_end)`: local midnights around the data timestamp.
- Events (`fleet/values.py`): `model.attempt.Report`, `Added(firings)`, `Published(publication)`,
  `Answer(question,
  ready)`, `Stop(ids)`, `Pause(ids)`, `Resume(ids)`, `Hold(ids)`, `Release(ids)`, `SetSuccess(ids)`,
  `SetPriority(ids, priority)`, `Rerun(ids)`, `Force(ids)`, `GroupSlots(project, group, slots)`,
  `RuleLimit(rule, n)`.
  `ids` are node instance ids. What an operation may do is the caller's question; a command that the
  transition table
  does not know for the present status is skipped and listed in `decision.refused`.
- `Operate(order, record)`: a confirmed operation. It is applied in chunks, its rows held until the last one is
  done; `decision.batch` carries its row, its progress and the exceptions it leaves (priorities, groups, pauses, edges),
  which come back as `Exceptions` at the next start.
- `decision.starts[i]`: `members` (node_instance, attempt, run, node), `instance`, `task`, `version`,
  `type`, `flow`,
  `scheduled_at`, `slot_start`, `data_day`, `ordinal`, `log`. More than one member = fused.
- `Published(publication)` must come before `Added` of node instances of that version; `publications` given
  at the
  start must hold every version that a firing names.
- `explain(fleet, node_instance, now)` (readiness.py) -> `[CheckResult(check, result, reasons)]`, the same
  checks.
- `fleet.reconsider(facts)`, then `take`: after a gap was recorded or closed, or the calendar changed.
- A store that reads very many may give `window.Rows` (columns) instead of firings, to `Fleet` and in `Added`.
- `gc.freeze()` after the start is worth a fifth of the time of every decision.
- `Options(shown_after=200_000)`: waiting statuses shorter than 0.2 s are not written; 0 writes them all.
- `fieldwise run`: `Options(ignore_time=True)`.
- A start after a crash: node instances stored as Running come back as running; the leader asks the ledger
  and sends
  a `Report` (SUCCEEDED or LOST) for each attempt in `fleet.running()`.
"""
