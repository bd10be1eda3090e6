"""Whether a text is one SELECT we can take, and its tree with parameters as placeholders and positions of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from fieldwise.compiler.functions import VOLATILE_CALLS, VOLATILE_WORDS
from fieldwise.compiler.problems import Problems
from fieldwise.model.definition import Parameter
from fieldwise.model.errors import ProblemCode

BUILT_IN_PARAMETERS: dict[str, str] = {
    "data_date": "DATE",
    "scheduled_at": "TIMESTAMP",
    "slot_start": "TIMESTAMP",
    "slot_end": "TIMESTAMP",
    "day_start": "TIMESTAMP",
    "day_end": "TIMESTAMP",
}
_BEFORE_NAME = {
    TokenType.IDENTIFIER,
    TokenType.VAR,
    TokenType.STRING,
    TokenType.NUMBER,
    TokenType.R_BRACKET,
    TokenType.L_BRACKET,
}


def parameter_types(parameters: Iterable[Parameter]) -> dict[str, str]:
    """Types of all declared placeholders by name: the built-in ones and the project's."""
    return {**BUILT_IN_PARAMETERS, **{parameter.name: parameter.type for parameter in parameters}}


def place_of_token(token: Token) -> tuple[int, int]:
    return token.line, token.col - (token.end - token.start)


def with_placeholders(text: str, names: Iterable[str], dialect: str) -> str:
    """`:name` of declared names as `$name`, which every grammar takes; as long as before, so positions stay.

    Decided on tokens: not in strings or comments, nor where a colon right after a name, string or bracket is an
    alias, a struct entry or a slice.
    """
    declared = set(names)
    if ":" not in text:
        return text
    tokens = Dialect.get_or_raise(dialect).tokenize(text)
    letters = list(text)
    for index, colon in enumerate(tokens[:-1]):
        if colon.token_type is not TokenType.COLON:
            continue
        before, name = tokens[index - 1] if index else None, tokens[index + 1]
        glued = before is not None and before.end + 1 == colon.start and before.token_type in _BEFORE_NAME
        if not glued and name.start == colon.end + 1 and name.text in declared:
            letters[colon.start] = "$"
    return "".join(letters)


def tokens_of(
    text: str, types: Mapping[str, str], dialect: str, problems: Problems
) -> tuple[str, list[Token]]:
    """The text with placeholders and its tokens; none, with the problem said, if a quote or comment is open."""
    try:
        text = with_placeholders(text, types, dialect)
        return text, Dialect.get_or_raise(dialect).tokenize(text)
    except TokenError:
        message = "the text cannot be read: a quote or comment is not closed"
        problems.add(ProblemCode.SYNTAX, _unclosed(text), message, "close it")
        return text, []


def parse_query(
    text: str, tokens: list[Token], types: Mapping[str, str], dialect: str, problems: Problems
) -> exp.Query | None:
    """The tree of the one SELECT in `text`; None with problems said if it is something else."""
    if problems.found:
        return None
    _refuse_words(tokens, problems)
    statements = _parse(text, tokens, dialect, problems)
    return None if statements is None else _one_query(statements, tokens, types, problems)


_TOKEN = re.compile(r"<Token token_type: [^,]*, text: (.*?), line: .*?>", re.DOTALL)


def _parse(text: str, tokens: list[Token], dialect: str, problems: Problems) -> list[exp.Expr] | None:
    try:
        found = Dialect.get_or_raise(dialect).parser().parse(tokens, text)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        place = (
            int(first.get("line") or 1),
            max(1, int(first.get("col") or 1) - len(first.get("highlight") or "x") + 1),
        )
        said = _TOKEN.sub(r"\1", str(first.get("description") or "this is not SQL").rstrip("."))
        problems.add(
            ProblemCode.SYNTAX,
            place,
            f"{said} near {first.get('highlight', '')!r}",
            "write one SELECT in the project's dialect",
        )
        return None
    return [
        statement for statement in found if statement is not None and not isinstance(statement, exp.Semicolon)
    ]


def _one_query(
    statements: list[exp.Expr], tokens: list[Token], types: Mapping[str, str], problems: Problems
) -> exp.Query | None:
    start = place_of_token(tokens[0]) if tokens else (1, 1)
    if not statements:
        problems.add(
            ProblemCode.NOT_ONE_SELECT, start, "there is no SELECT", "write one SELECT below the header"
        )
        return None
    if len(statements) > 1:
        second = next(
            (after for one, after in pairwise(tokens) if one.token_type is TokenType.SEMICOLON),
            tokens[0],
        )
        problems.add(
            ProblemCode.NOT_ONE_SELECT,
            place_of_token(second),
            f"there are {len(statements)} statements",
            "keep one SELECT per file",
        )
        return None
    tree = statements[0]
    if isinstance(tree, exp.Pivot):
        problems.add(
            ProblemCode.UNSUPPORTED,
            start,
            "PIVOT and UNPIVOT statements cannot be planned",
            "use PIVOT behind a table in FROM, or CASE",
        )
        return None
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)):
        problems.add(
            ProblemCode.NOT_ONE_SELECT,
            start,
            f"this is a {tree.key.upper()}, not a SELECT",
            "write one SELECT",
        )
        return None
    before = len(problems.found)
    _refuse_nodes(tree, types, tokens, problems)
    unusable = any(one.code is ProblemCode.UNSUPPORTED for one in problems.found[before:])
    return None if unusable else tree


_REFUSED = VOLATILE_CALLS | VOLATILE_WORDS | {"columns"}


def _refuse_words(tokens: Sequence[Token], problems: Problems) -> None:
    """Volatile functions and COLUMNS(), found on tokens because their nodes keep no position."""
    if not any(token.text.lower() in _REFUSED for token in tokens):
        return
    for index, token in enumerate(tokens):
        name = token.text.lower()
        before = tokens[index - 1].token_type if index else None
        if before is TokenType.DOT or token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
            continue
        called = index + 1 < len(tokens) and tokens[index + 1].token_type is TokenType.L_PAREN
        if name in VOLATILE_WORDS or (called and name in VOLATILE_CALLS):
            problems.add(
                ProblemCode.VOLATILE, place_of_token(token), f"{name} gives another value at every run",
                "use a parameter: :scheduled_at for the time, :data_date for the day",
            )  # fmt: skip
        elif called and name == "columns":
            problems.add(
                ProblemCode.UNSUPPORTED,
                place_of_token(token),
                "COLUMNS() cannot be planned",
                "name the columns, or use * EXCLUDE/REPLACE",
            )


def _refuse_nodes(
    tree: exp.Expr, types: Mapping[str, str], tokens: Sequence[Token], problems: Problems
) -> None:
    for node in tree.find_all(exp.Placeholder, exp.Parameter, exp.PositionalColumn, exp.Pivot):
        if isinstance(node, exp.Placeholder | exp.Parameter):
            _check_parameter(node.name, types, tokens, problems)
        elif isinstance(node, exp.PositionalColumn):
            place = _place_after(tokens, ("#",), str(node.this.this))
            problems.add(
                ProblemCode.UNSUPPORTED, place, f"#{node.this.this} cannot be planned", "name the column"
            )
        elif node.arg_key != "pivots":
            problems.at(
                ProblemCode.UNSUPPORTED, node, "a PIVOT statement cannot be planned", "use PIVOT behind a table in FROM, or CASE"
            )  # fmt: skip


def _check_parameter(
    name: str, types: Mapping[str, str], tokens: Sequence[Token], problems: Problems
) -> None:
    if name in types:
        return
    near = get_close_matches(name, list(types), n=1)
    hint = f'did you mean ":{near[0]}"?' if near else "declare it under params: in project.yml"
    problems.add(
        ProblemCode.SYNTAX,
        _place_after(tokens, (":", "$", "?"), name),
        f"there is no parameter :{name}",
        hint,
    )


def _place_after(tokens: Sequence[Token], marks: Sequence[str], name: str) -> tuple[int, int]:
    """Where a mark stands that is followed by a name: nodes of placeholders keep no position."""
    for token, after in pairwise(tokens):
        if token.text in marks and after.text == name:
            return place_of_token(token)
    return place_of_token(tokens[0])


def projection_places(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Where each item of the first top-level SELECT list begins, for columns that have no identifier."""
    depth, inside, fresh = 0, False, False
    places: list[tuple[int, int]] = []
    for token in tokens:
        kind = token.token_type
        if fresh and kind not in (TokenType.DISTINCT, TokenType.ALL):
            places.append(place_of_token(token))
            fresh = False
        if kind in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif kind in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        elif depth == 0 and kind is TokenType.SELECT and not inside:
            inside = fresh = True
        elif depth == 0 and inside and kind is TokenType.FROM:
            break
        elif depth == 0 and inside and kind is TokenType.COMMA:
            fresh = True
    return places


_CLOSED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$", re.DOTALL)
_OPENING = re.compile(r"'|\"|/\*|\$\$")


def _unclosed(text: str) -> tuple[int, int]:
    """Where the quote or comment opens that nothing closes."""
    blank = _CLOSED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    opening = _OPENING.search(blank)
    position = opening.start() if opening else 0
    return text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1
