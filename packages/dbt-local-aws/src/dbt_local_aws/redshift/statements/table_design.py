"""CREATE TABLE: what PostgreSQL is told of it, and the physical design and the keys that are only written down.

Redshift enforces NOT NULL and no key. Distribution, sort order and encoding have no counterpart in PostgreSQL: they are
kept in tables of the endpoint's own, from which the catalogue shows them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import (
    INVALID_COLUMN_DEFINITION,
    INVALID_TABLE_DEFINITION,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.functions import RESERVED_WORDS
from dbt_local_aws.redshift.refusals.calls import check_calls
from dbt_local_aws.redshift.statements.rewriting import rewrite_expressions, text_of
from dbt_local_aws.redshift.tokens import (
    Kind,
    QualifiedName,
    Token,
    closing,
    qualified_name,
    render,
    split,
    starts_with,
    tokenize,
    word_at,
)

_ENCODINGS = {
    "az64",
    "bytedict",
    "delta",
    "delta32k",
    "lzo",
    "mostly8",
    "mostly16",
    "mostly32",
    "raw",
    "runlength",
    "text255",
    "text32k",
    "zstd",
    "auto",
}
_ATTRIBUTES = {
    "default",
    "identity",
    "generated",
    "encode",
    "distkey",
    "sortkey",
    "collate",
    "not",
    "null",
    "unique",
    "primary",
    "references",
    "constraint",
    "check",
}
_MOST_SORT_KEYS = 400
_MOST_INTERLEAVED_KEYS = 8
_TABLE_CONSTRAINTS = {"constraint", "primary", "unique", "foreign", "check"}


@dataclass
class TableDesign:
    """What is written down of a table."""

    distribution: str | None = None  # even, all, key or auto
    distribution_key: str | None = None
    sort_keys: list[str] = field(default_factory=list)
    interleaved: bool = False
    backup: bool = True
    encodings: dict[str, str] = field(default_factory=dict)
    constraints: list[dict[str, Any]] = field(default_factory=list)
    auto_refresh: bool = False  # of a materialized view
    like: str | None = None  # the table whose design is taken over

    def as_json(self) -> str:
        """The design as redshift_internal.record_table() takes it."""
        return json.dumps(vars(self))

    def distribute_by(self, column: str) -> None:
        """Makes a column the distribution key."""
        if self.distribution_key is not None:
            raise RedshiftError(INVALID_TABLE_DEFINITION, "DISTKEY cannot be specified on more than one column")
        self.distribution_key = column

    def check(self, table: str) -> None:
        """Raises where the clauses contradict each other."""
        longest = _MOST_INTERLEAVED_KEYS if self.interleaved else _MOST_SORT_KEYS
        if len(self.sort_keys) > longest:
            raise RedshiftError(INVALID_TABLE_DEFINITION, f"SORTKEY cannot have more than {longest} columns")
        if self.distribution_key and self.distribution not in (None, "key"):
            raise RedshiftError(
                INVALID_TABLE_DEFINITION,
                f'Cannot specify DISTKEY column of table "{table}" if DISTSTYLE is {(self.distribution or "").upper()}',
            )
        if self.distribution == "key" and not self.distribution_key:
            raise RedshiftError(
                INVALID_TABLE_DEFINITION, f'Must specify DISTKEY column of table "{table}" if DISTSTYLE is KEY'
            )
        if len(set(self.sort_keys)) < len(self.sort_keys):
            raise RedshiftError(INVALID_TABLE_DEFINITION, "a column is named twice in SORTKEY")


@dataclass
class CreateTable:
    """A CREATE TABLE statement, taken apart."""

    name: QualifiedName
    sql: str
    design: TableDesign
    is_query: bool


def parse_create_table(tokens: Sequence[Token]) -> CreateTable:
    """Takes a CREATE TABLE statement apart."""
    at = 1
    local = word_at(tokens, at) == "local"
    temporary = word_at(tokens, at + local) in ("temp", "temporary")
    at += local + temporary
    if word_at(tokens, at) != "table":
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    at += 1
    absent = starts_with(tokens, "if", "not", "exists", at=at)
    at += 3 * absent
    name, at = qualified_name(tokens, at)
    check_not_reserved(tokens[at - 1])
    if name.relation.startswith("#"):
        temporary, name = True, QualifiedName((name.relation,))
    design = TableDesign()
    elements = None
    if word_at(tokens, at) == "(":
        end = closing(tokens, at)
        elements = tokens[at + 1 : end]
        at = end + 1
    at = read_attributes(tokens, at, design)
    head = f"create {'temporary ' if temporary else ''}table {'if not exists ' if absent else ''}{name.sql}"
    is_query = word_at(tokens, at) == "as"
    if is_query and absent:
        raise syntax_error("as")  # IF NOT EXISTS is for tables with columns of their own
    if is_query:
        columns = "" if elements is None else f" ({', '.join(_column_names(elements))})"
        statement = f"{head}{columns} as {render(rewrite_expressions(tokens[at + 1 :]))}"
    elif at < len(tokens):
        raise syntax_error(tokens[at].text)
    elif not elements:
        raise syntax_error("" if elements is None else ")")
    else:
        explicit = design != TableDesign()
        statement = f"{head} ({_table_elements(elements, design)})"
        if explicit and design.like:
            # r_CREATE_TABLE_NEW: "you can't explicitly set them in the CREATE TABLE ... LIKE statement"
            raise not_supported("table attributes beside LIKE")
    design.check(name.relation)
    return CreateTable(name, statement, design, is_query)


def _column_names(elements: Sequence[Token]) -> list[str]:
    """The columns that CREATE TABLE (…) AS names."""
    names = []
    for part in split(elements):
        if len(part) != 1 or not part[0].is_identifier:
            raise syntax_error(part[1].text if len(part) > 1 else ")")
        check_not_reserved(part[0])
        names.append(part[0].text)
    return names


def check_not_reserved(name: Token) -> None:
    """Raises where a reserved word is used for a name without quotes."""
    if name.kind is Kind.WORD and name.word in RESERVED_WORDS:
        raise syntax_error(name.text)


def read_attributes(tokens: Sequence[Token], at: int, design: TableDesign) -> int:
    """Reads the table attributes that begin at this position; gives where what follows them begins."""
    seen: set[str] = set()
    while at < len(tokens):
        kind = "sortkey" if tokens[at].word in ("compound", "interleaved") else tokens[at].word
        if kind in seen:
            raise syntax_error(tokens[at].text)
        seen.add(kind)
        match tokens[at].word:
            case "backup" if word_at(tokens, at + 1) in ("yes", "no"):
                design.backup = word_at(tokens, at + 1) == "yes"
                at += 2
            case "diststyle" if word_at(tokens, at + 1) in ("even", "all", "key", "auto"):
                design.distribution = word_at(tokens, at + 1)
                at += 2
            case "distkey":
                (column,), at = _column_list(tokens, at + 1)
                design.distribute_by(column)
            case "compound" | "interleaved" if word_at(tokens, at + 1) == "sortkey":
                design.interleaved = tokens[at].word == "interleaved"
                design.sort_keys, at = _column_list(tokens, at + 2)
            case "sortkey" if word_at(tokens, at + 1) in ("auto", "none"):
                at += 2
            case "sortkey":
                design.sort_keys, at = _column_list(tokens, at + 1)
            case "encode" if word_at(tokens, at + 1) == "auto":
                at += 2
            case "auto" if word_at(tokens, at + 1) == "refresh" and word_at(tokens, at + 2) in ("yes", "no"):
                design.auto_refresh = word_at(tokens, at + 2) == "yes"
                at += 3
            case _:
                return at
    return at


def _column_list(tokens: Sequence[Token], at: int) -> tuple[list[str], int]:
    if word_at(tokens, at) != "(":
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    end = closing(tokens, at)
    columns = []
    for part in split(tokens[at + 1 : end]):
        if len(part) != 1 or not part[0].is_identifier:
            raise syntax_error(part[0].text if part else ")")
        columns.append(part[0].name)
    if not columns:
        raise syntax_error(")")
    return columns, end + 1


def _table_elements(elements: Sequence[Token], design: TableDesign) -> str:
    definitions = []
    not_null: set[str] = set()
    parts = split(elements)
    for part in parts:
        if not part:
            raise syntax_error(",")
        if part[0].word == "like":
            definitions.append(_like(part, design))
        elif part[0].word in _TABLE_CONSTRAINTS:
            not_null |= table_constraint(part, design)
        else:
            definitions.append(column_definition(part, design))
    # a primary key makes its columns NOT NULL, wherever it is declared
    return ", ".join(
        f"{definition} not null" if name in not_null and " not null" not in definition else definition
        for definition, name in ((definition, _defined_name(definition)) for definition in definitions)
    )


def _defined_name(definition: str) -> str:
    return tokenize(definition)[0].name


def _like(part: Sequence[Token], design: TableDesign) -> str:
    """A parent's columns; its distribution, sort keys and encodings are taken over where the design is recorded."""
    name, at = qualified_name(part, 1)
    if at != len(part) and not starts_with(part, "including|excluding", "defaults", at=at):
        raise syntax_error(part[at].text)
    design.like = name.sql
    return f"like {name.sql}{' including defaults' if word_at(part, at) == 'including' else ''}"


def column_definition(part: Sequence[Token], design: TableDesign) -> str:
    """A column as PostgreSQL is told of it; what it is not told goes into the design."""
    if not part[0].is_identifier or len(part) == 1:
        raise syntax_error(part[0].text)
    check_not_reserved(part[0])
    column = part[0].name
    data_type, at = read_type(part, 1)
    sql = f"{QualifiedName((column,)).sql} {data_type.of_column().sql}"
    while at < len(part):
        after = _design_attribute(part, at, column, design)
        if after == at:
            clause, after = _column_attribute(part, at)
            sql += "" if clause in sql else clause
        if starts_with(part, "primary", at=at) and " not null" not in sql:
            sql += " not null"
        at = after
    if " as identity" in sql and data_type.name not in ("integer", "bigint"):
        raise RedshiftError(INVALID_COLUMN_DEFINITION, f'identity column "{column}" must be of type INT or BIGINT')
    return sql


def _design_attribute(part: Sequence[Token], at: int, column: str, design: TableDesign) -> int:
    """Writes an attribute down that PostgreSQL is not told of; gives where what follows it begins, or `at` itself."""
    match part[at].word:
        case "encode":
            encoding = part[at + 1].name if at + 1 < len(part) else ""
            if encoding not in _ENCODINGS:
                raise RedshiftError(INVALID_COLUMN_DEFINITION, f'invalid encoding type "{encoding}"')
            design.encodings[column] = encoding
            return at + 2
        case "distkey":
            design.distribute_by(column)
            return at + 1
        case "sortkey":
            design.sort_keys.append(column)
            return at + 1
        case "unique" | "primary" as key:
            design.constraints.append({"type": key[0], "columns": [column]})
            return at + (1 if key == "unique" else 2)
        case "references":
            return _references(part, at, [column], None, design)
    return at


def _column_attribute(part: Sequence[Token], at: int) -> tuple[str, int]:
    """An attribute in PostgreSQL's words, and where what follows it begins."""
    match part[at].word:
        case "default":
            end = _end_of_default(part, at + 1)
            check_calls(part[at + 1 : end], lambda _: False)  # no function of a user's: r_CREATE_TABLE_NEW
            return f" default {text_of(part[at + 1 : end])}", end
        case "identity":
            return _identity(part, at + 1, always=True)
        case "generated" if starts_with(part, "by", "default", "as", "identity", at=at + 1):
            return _identity(part, at + 5, always=False)
        case "collate" if word_at(part, at + 1) in ("case_sensitive", "cs"):
            return "", at + 2
        case "collate":
            raise not_emulated("COLLATE CASE_INSENSITIVE")
        case "not" if word_at(part, at + 1) == "null":
            return " not null", at + 2
        case "null":
            return "", at + 1
        case "check":
            raise not_supported("CHECK constraints")
    raise syntax_error(part[at].text)


def _end_of_default(part: Sequence[Token], at: int) -> int:
    depth = 0
    for position in range(at, len(part)):
        word = part[position].word
        depth += {"(": 1, ")": -1}.get(word, 0)
        # `default null` is a value; a NULL behind one is an attribute
        if depth == 0 and word in _ATTRIBUTES and position > at:
            return position
    return len(part)


def _identity(part: Sequence[Token], at: int, *, always: bool) -> tuple[str, int]:
    if word_at(part, at) != "(":
        raise syntax_error(part[at].text if at < len(part) else "")
    end = closing(part, at)
    numbers = [render(number).strip() for number in split(part[at + 1 : end])]
    if len(numbers) != 2 or not all(number.lstrip("-").isdigit() for number in numbers):
        raise syntax_error("identity")
    start, step = map(int, numbers)
    bounds = f"minvalue {min(start, 1)}" if step > 0 else f"maxvalue {max(start, -1)}"
    generated = "always" if always else "by default"
    return f" generated {generated} as identity (start with {start} increment by {step} {bounds})", end + 1


def table_constraint(part: Sequence[Token], design: TableDesign) -> set[str]:
    """Writes a table constraint down; gives the columns that it makes NOT NULL."""
    at = 0
    name = None
    if part[0].word == "constraint":
        name, at = part[1].name, 2
    match word_at(part, at):
        case "primary" | "unique" as kind:
            columns, at = _column_list(part, at + (2 if kind == "primary" else 1))
            design.constraints.append({"type": kind[0], "columns": columns, "name": name})
            if at != len(part):
                raise syntax_error(part[at].text)
            return set(columns) if kind == "primary" else set()
        case "foreign":
            columns, at = _column_list(part, at + 2)
            _references(part, at, columns, name, design)
            return set()
        case "check":
            raise not_supported("CHECK constraints")
    raise syntax_error(part[at].text if at < len(part) else "")


def _references(part: Sequence[Token], at: int, columns: list[str], name: str | None, design: TableDesign) -> int:
    if word_at(part, at) != "references":
        raise syntax_error(part[at].text if at < len(part) else "")
    table, at = qualified_name(part, at + 1)
    referenced: list[str] | None = None
    if word_at(part, at) == "(":
        referenced, at = _column_list(part, at)
    if at < len(part) and part[at].word not in _ATTRIBUTES:
        raise syntax_error(part[at].text)
    design.constraints.append(
        {"type": "f", "columns": columns, "name": name, "table": table.sql, "referenced": referenced}
    )
    return at
