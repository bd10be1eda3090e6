"""Which type family an expression has, so that key comparisons cannot match more than one row (rule J5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from fieldwise.compiler.relations import Block, Compound, Leaf, Relation

_FAMILY_OF: dict[str, str] = {
    **dict.fromkeys(
        [
            "TINYINT",
            "SMALLINT",
            "INT",
            "INTEGER",
            "INT1",
            "INT2",
            "INT4",
            "INT8",
            "BIGINT",
            "LONG",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
            "SHORT",
            "SIGNED",
            "UINT",
        ],
        "integer",
    ),
    **dict.fromkeys(["DECIMAL", "NUMERIC"], "decimal"),
    **dict.fromkeys(["FLOAT", "DOUBLE", "REAL", "FLOAT4", "FLOAT8", "DOUBLE PRECISION"], "float"),
    **dict.fromkeys(["VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR"], "text"),
    **dict.fromkeys(["DATE", "TIMESTAMP", "DATETIME", "TIMESTAMP WITHOUT TIME ZONE"], "time"),
    **dict.fromkeys(["BOOLEAN", "BOOL"], "boolean"),
    "UUID": "uuid",
}
_HARMLESS = {
    ("integer", "decimal"),
    ("decimal", "integer"),
    ("uuid", "text"),
    ("enum", "text"),
    ("integer", "text"),
}
"""(family of the key, family of the other side): each value of the other side equals at most one key."""

_TEXT_FUNCTIONS = (
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Substring,
    exp.Concat,
    exp.DPipe,
    exp.Left,
    exp.Right,
    exp.Replace,
)
_FIRST_ARGUMENT = (
    exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
    exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.Window, exp.Paren, exp.Abs, exp.Nullif, exp.Order,
)  # fmt: skip
_MAXIMUM_DEPTH = 60


def family_of_type(kind: str) -> str:
    """The family of an engine type; "" if not known. Types outside the table are comparable to themselves only."""
    text = kind.upper().strip()
    if not text or "COLLATE" in text or text in ('"NULL"', "NULL", "UNKNOWN", "ANY"):
        return ""
    if text.startswith("ENUM"):
        return "enum"
    if text.endswith("]") or ("(" in text and text.split("(")[0] in ("STRUCT", "MAP", "UNION", "ROW")):
        return text
    return _FAMILY_OF.get(re.sub(r"\(.*\)", "", text).strip(), text)


def one_match(key: str, other: str) -> bool:
    """Whether any value of family `other` equals at most one value of a unique key of family `key`."""
    return bool(key) and bool(other) and (key == other or (key, other) in _HARMLESS)


class Families:
    """Families of expressions inside the blocks of one query; `parameters`: declared type by placeholder name."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters

    def type_of_column(self, relation: Relation, name: str, depth: int = 0) -> str:
        """Engine type of an output column of a relation as far as it is certain, else ""."""
        if depth > _MAXIMUM_DEPTH:
            return ""
        if isinstance(relation, Leaf):
            return relation.table.columns.get(name, ("", ""))[1]
        if isinstance(relation, Block):
            index = relation.position.get(name)
            return "" if index is None else self.type_of(relation.projections[index], relation, depth + 1)
        if (
            isinstance(relation, Compound)
            and relation.left.names
            and relation.right.names
            and name in relation.left.names
        ):
            if relation.node.args.get("by_name"):
                return ""
            position = relation.left.names.index(name)
            left = self.type_of_column(relation.left, name, depth + 1)
            if position < len(relation.right.names):
                right = self.type_of_column(relation.right, relation.right.names[position], depth + 1)
                return left if left == right else ""
        return ""

    def family_of(self, node: exp.Expr, block: Block) -> str:
        return family_of_type(self.type_of(node, block))

    def type_of(self, node: exp.Expr, block: Block, depth: int = 0) -> str:
        """Engine type of an expression of a block as far as it is certain, else ""."""
        if depth > _MAXIMUM_DEPTH:
            return ""
        if isinstance(node, exp.Alias):
            return self.type_of(node.this, block, depth + 1)
        if isinstance(node, exp.Column):
            occurrence = block.by_name.get(node.table.lower())
            return (
                self.type_of_column(occurrence.relation, node.name.lower(), depth + 1) if occurrence else ""
            )
        if isinstance(node, exp.Cast):
            to = node.args["to"]
            return "" if to.args.get("collate") else str(to.sql("duckdb"))
        if isinstance(node, exp.Placeholder):
            return self._parameters.get(node.name, "")
        if isinstance(node, exp.Literal):
            return _literal_type(node)
        return self._type_of_function(node, block, depth + 1)

    def _type_of_function(self, node: exp.Expr, block: Block, depth: int) -> str:
        if isinstance(node, exp.Count):
            return "BIGINT"
        if isinstance(node, _TEXT_FUNCTIONS):
            return "VARCHAR"
        if isinstance(node, exp.RowNumber | exp.Length):
            return "BIGINT"
        if isinstance(node, exp.Boolean | exp.Predicate | exp.Not | exp.And | exp.Or):
            return "BOOLEAN"
        if isinstance(node, _FIRST_ARGUMENT):
            return self.type_of(node.this, block, depth)
        if isinstance(node, exp.Coalesce):
            return self._common([node.this, *node.expressions], block, depth)
        if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
            return "TIMESTAMP" if family_of_type(self.type_of(node.this, block, depth)) == "time" else ""
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Neg):
            return self._arithmetic(node, block, depth)
        return ""

    def _common(self, parts: list[exp.Expr], block: Block, depth: int) -> str:
        types = {self.type_of(part, block, depth) for part in parts if not isinstance(part, exp.Null)}
        return types.pop() if len(types) == 1 else ""

    def _arithmetic(self, node: exp.Expr, block: Block, depth: int) -> str:
        left = family_of_type(self.type_of(node.this, block, depth))
        if isinstance(node, exp.Neg):
            return "BIGINT" if left == "integer" else ""
        if (
            isinstance(node, exp.Add | exp.Sub)
            and left == "time"
            and isinstance(node.expression, exp.Interval)
        ):
            return "TIMESTAMP"
        right = family_of_type(self.type_of(node.expression, block, depth))
        if isinstance(node, exp.Add | exp.Sub) and left == "time" and right == "integer":
            return "DATE"
        return "BIGINT" if left == right == "integer" else ""


def _literal_type(node: exp.Literal) -> str:
    if node.is_string:
        return "VARCHAR"
    return "INTEGER" if node.is_int else "DECIMAL" if "e" not in str(node.this).lower() else "DOUBLE"
