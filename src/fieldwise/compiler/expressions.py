"""The expressions of a metrics table: atomics with filters over their source, composites over other metrics."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError

from fieldwise.compiler.catalogue import CatalogueTable
from fieldwise.compiler.functions import is_aggregate, is_volatile
from fieldwise.compiler.parse import with_placeholders
from fieldwise.compiler.problems import Problems
from fieldwise.model.definition import Atomic, Metric, TaskDefinition
from fieldwise.model.errors import ProblemCode

_WRAPPERS = (exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


class Expressions:
    """Parsed expressions by folded metric name; every mistake is said at the metric, atomic or filter."""

    def __init__(
        self, definition: TaskDefinition, dialect: str, types: Mapping[str, str], problems: Problems
    ) -> None:
        assert definition.metrics is not None
        self._definition = definition
        self._dialect = dialect
        self._types = types
        self._problems = problems
        self._atomics = {one.name: one for one in definition.metrics.atomic}
        self._filters = dict(definition.metrics.filters)
        self._metrics = {metric.name.lower(): metric for metric in definition.metrics.metrics}
        self._simple: dict[str, exp.Expr] = {}
        self._composite: dict[str, exp.Expr] = {}

    def spelled(self, name: str) -> str:
        return self._metrics[name.lower()].name

    def atomic(self, metric: Metric) -> Atomic | None:
        """The atomic of a simple metric; unknown ones are said."""
        found = self._atomics.get(metric.atomic)
        if found is None:
            near = get_close_matches(metric.atomic, list(self._atomics), n=1)
            hint = f'did you mean "{near[0]}"?' if near else "declare it under `atomic:`"
            self._say(
                ProblemCode.UNKNOWN_KEY,
                (metric.line, metric.column),
                f"there is no atomic {metric.atomic!r}",
                hint,
            )
        return found

    def simple(self, metric: Metric, source: CatalogueTable) -> None:
        """Take atomic + filter of a metric, its columns checked against the source."""
        atomic = self._atomics[metric.atomic]
        value = self._parse(atomic.value, (atomic.line, atomic.column), source)
        if value is not None and not any(is_aggregate(node) for node in value.walk()):
            self._say(
                ProblemCode.UNSUPPORTED,
                (atomic.line, atomic.column),
                f"{atomic.value} aggregates nothing",
                "write sum(...), count(*), ...",
            )
            return
        condition: exp.Expr | None = None
        if metric.filter:
            if metric.filter not in self._filters:
                self._say(
                    ProblemCode.UNKNOWN_KEY,
                    (metric.line, metric.column),
                    f"there is no filter {metric.filter!r}",
                    "declare it under `filters:`",
                )
                return
            place = self._definition.position(f"filters.{metric.filter}")
            condition = self._parse(self._filters[metric.filter], place, source)
            if condition is None:
                return
        if value is not None:
            self._simple[metric.name.lower()] = filtered(value, condition) if condition is not None else value

    def composite(self, metric: Metric) -> None:
        """Take the expression of a composite; its names must be metrics of the table."""
        value = self._parse(metric.expression, (metric.line, metric.column), None)
        if value is None:
            return
        for column in value.find_all(exp.Column):
            if column.name.lower() not in self._metrics:
                near = get_close_matches(column.name.lower(), list(self._metrics), n=1)
                hint = (
                    f'did you mean "{self._metrics[near[0]].name}"?'
                    if near
                    else "a composite is made from metrics of this table"
                )
                self._say(
                    ProblemCode.UNKNOWN_COLUMN,
                    (metric.line, metric.column),
                    f"there is no metric {column.name}",
                    hint,
                )
        if not any(True for _ in value.find_all(exp.Column)):
            self._say(
                ProblemCode.UNSUPPORTED,
                (metric.line, metric.column),
                f"{metric.name} names no metric",
                "make it from metrics of this table",
            )
        self._composite[metric.name.lower()] = value

    def check_circles(self) -> None:
        """Say composites that are made from themselves."""
        for name in self._composite:
            path = self._circle(name, [])
            if path:
                metric = self._metrics[name]
                said = " -> ".join(self.spelled(one) for one in path)
                self._say(
                    ProblemCode.CYCLE,
                    (metric.line, metric.column),
                    f"composites name each other in a circle: {said}",
                    "break the circle",
                )

    def _circle(self, name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name] if path[0] == name else []
        value = self._composite.get(name)
        for column in value.find_all(exp.Column) if value is not None else ():
            found = self._circle(column.name.lower(), [*path, name])
            if found:
                return found
        return []

    def simple_parts(self, name: str) -> set[str]:
        """Folded names of the simple metrics a metric is made from in the end."""
        value = self._composite.get(name.lower())
        if value is None:
            return {name.lower()}
        return {part for column in value.find_all(exp.Column) for part in self.simple_parts(column.name)}

    def over_source(self, name: str) -> exp.Expr:
        """The metric as an expression over the rows of its source."""
        if name.lower() in self._simple:
            return self._simple[name.lower()].copy()
        return self._substituted(name, self.over_source)

    def over_table(self, name: str, alias: str) -> exp.Expr:
        """The metric as an expression over simple metrics in a row of the table."""
        if name.lower() in self._simple:
            return exp.column(self.spelled(name), table=alias, quoted=True)
        return self._substituted(name, lambda part: self.over_table(part, alias))

    def _substituted(self, name: str, replacement: object) -> exp.Expr:
        assert callable(replacement)
        root = exp.Paren(this=self._composite[name.lower()].copy())
        for column in list(root.find_all(exp.Column)):
            column.replace(exp.paren(replacement(column.name), copy=False))
        inner: exp.Expr = root.this
        return inner

    def counts(self, name: str) -> bool:
        """Whether the metric counts rows: 0 and not NULL where there are none."""
        value = self._simple.get(name.lower())
        while isinstance(value, exp.Filter | exp.Paren):
            value = value.this
        return isinstance(value, exp.Count | exp.CountIf | exp.ApproxDistinct) or (
            isinstance(value, exp.Anonymous) and value.name.lower() == "count_star"
        )

    def _parse(self, text: str, place: tuple[int, int], source: CatalogueTable | None) -> exp.Expr | None:
        dialect = Dialect.get_or_raise(self._dialect)
        try:
            replaced = with_placeholders(f" {text}", self._types, self._dialect)
            found = dialect.parser().parse(dialect.tokenize(replaced), replaced)
        except (ParseError, TokenError) as error:
            self._say(
                ProblemCode.SYNTAX,
                place,
                f"{text!r} is not an expression: {str(error).splitlines()[0]}",
                "write one SQL expression",
            )
            return None
        tree = found[0] if len(found) == 1 else None
        if tree is None or isinstance(tree, exp.Query | exp.Command) or tree.find(exp.Query):
            self._say(
                ProblemCode.UNSUPPORTED,
                place,
                f"{text!r} is not a plain expression",
                "write an expression without subqueries",
            )
            return None
        return tree if self._check(tree, text, place, source) else None

    def _check(
        self, tree: exp.Expr, text: str, place: tuple[int, int], source: CatalogueTable | None
    ) -> bool:
        good = True
        for node in tree.walk():
            if is_volatile(node):
                self._say(
                    ProblemCode.VOLATILE,
                    place,
                    f"{text!r} gives another value at every run",
                    "use :data_date or :scheduled_at",
                )
                good = False
            elif isinstance(node, exp.Placeholder) and node.name not in self._types:
                self._say(
                    ProblemCode.SYNTAX,
                    place,
                    f"there is no parameter :{node.name}",
                    "declare it under params: in project.yml",
                )
                good = False
            elif (
                isinstance(node, exp.Column)
                and source is not None
                and node.name.lower() not in source.columns
            ):
                near = get_close_matches(node.name.lower(), list(source.columns), n=1)
                hint = (
                    f'did you mean "{source.columns[near[0]][0]}"?'
                    if near
                    else "known here: " + ", ".join(source.columns)
                )
                self._say(ProblemCode.UNKNOWN_COLUMN, place, f"{source.name} has no column {node.name}", hint)
                good = False
        return good

    def _say(self, code: ProblemCode, place: tuple[int, int], message: str, hint: str) -> None:
        self._problems.add(code, place, message, hint)


def filtered(value: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """The expression with every aggregate restricted to the rows that fulfil the condition."""
    root = exp.Paren(this=value.copy())
    for node in list(root.find_all(exp.Expr)):
        if not is_aggregate(node):
            continue
        while isinstance(node.parent, _WRAPPERS):
            node = node.parent
        outer = node.parent
        if isinstance(outer, exp.Filter):
            where = outer.expression
            where.set("this", exp.and_(where.this, condition.copy(), copy=False))
        else:
            node.replace(exp.Filter(this=node.copy(), expression=exp.Where(this=condition.copy())))
    found: exp.Expr = root.this
    return found
