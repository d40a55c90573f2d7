"""Reads the statements that Athena gives to Hive: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dbt_local_aws.athena.errors import AthenaError
from dbt_local_aws.athena.glue_table import Column
from dbt_local_aws.athena.types import from_hive

# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, the list for DDL
RESERVED_IN_DDL = frozenset(
    """ALL ALTER AND ARRAY AS AUTHORIZATION BETWEEN BIGINT BINARY BOOLEAN BOTH BY CASE CASHE CAST CHAR COLUMN CONF
    CONSTRAINT COMMIT CREATE CROSS CUBE CURRENT CURRENT_DATE CURRENT_TIMESTAMP CURSOR DATABASE DATE DAYOFWEEK
    DECIMAL DELETE DESCRIBE DISTINCT DIV DOUBLE DROP ELSE END EXCHANGE EXISTS EXTENDED EXTERNAL EXTRACT FALSE FETCH
    FLOAT FLOOR FOLLOWING FOR FOREIGN FROM FULL FUNCTION GRANT GROUP GROUPING HAVING IF IMPORT IN INNER INSERT INT
    INTEGER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LESS LIKE LOCAL MACRO MAP MORE NONE NOT NULL NUMERIC OF ON
    ONLY OR ORDER OUT OUTER OVER PARTIALSCAN PARTITION PERCENT PRECEDING PRECISION PRESERVE PRIMARY PROCEDURE RANGE
    READS REDUCE REGEXP REFERENCES REVOKE RIGHT RLIKE ROLLBACK ROLLUP ROW ROWS SELECT SET SMALLINT START TABLE
    TABLESAMPLE THEN TIME TIMESTAMP TO TRANSFORM TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUEJOIN UPDATE USER USING
    UTC_TIMESTAMP VALUES VARCHAR VIEWS WHEN WHERE WINDOW WITH""".split()  # noqa: SIM905 - words, not quotes and commas
)
_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<quoted>`(?:[^`]|``)*`)"
    r"|(?P<double>\"(?:[^\"\\]|\\.)*\")|(?P<text>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?(?![A-Za-z_]))|(?P<word>[A-Za-z0-9_$]+)|(?P<symbol><>|<=|>=|!=|[(),.;:=<>*{}])",
    re.DOTALL,
)
_HIVE_TYPES = frozenset(
    """boolean tinyint smallint int bigint float double decimal string varchar char binary date timestamp array map
    struct""".split()  # noqa: SIM905 - words, not quotes and commas
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}


@dataclass(frozen=True)
class Token:
    """One word, name, text or symbol, and where it begins."""

    kind: str
    text: str
    at: int


def parse_error(sql: str, at: int, message: str) -> AthenaError:
    """Hive's own words for a statement that it cannot read."""
    line = sql.count("\n", 0, at) + 1
    column = at - (sql.rfind("\n", 0, at) + 1)
    return AthenaError("FAILED", f"ParseException line {line}:{column} {message}")


def tokenize(sql: str) -> list[Token]:
    """The tokens of a statement; comments are left out."""
    tokens, at = [], 0
    while at < len(sql):
        found = _TOKEN.match(sql, at)
        if not found:
            raise parse_error(sql, at, f"cannot recognize input near '{sql[at : at + 10]}'")
        if found.lastgroup != "space":
            tokens.append(Token(str(found.lastgroup), found[0], at))
        at = found.end()
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    return tokens


def _unescape(text: str) -> str:
    body = text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]

    def letter(found: re.Match[str]) -> str:
        if octal := found["octal"]:
            return chr(int(octal, 8))
        if code := found["code"]:
            return chr(int(code, 16))
        return _ESCAPES.get(found["letter"], found["letter"])

    return re.sub(r"\\(?:(?P<octal>[0-7]{3})|u(?P<code>[0-9a-fA-F]{4})|(?P<letter>.))", letter, body, flags=re.DOTALL)


@dataclass
class TableDefinition:
    """A CREATE TABLE without AS."""

    schema: str | None
    name: str
    external: bool
    if_not_exists: bool
    columns: list[Column] = field(default_factory=list)
    partition_keys: list[Column] = field(default_factory=list)
    partition_transforms: list[str] = field(default_factory=list)
    comment: str = ""
    bucketed_by: list[str] = field(default_factory=list)
    bucket_count: int = 0
    serde: str = ""
    serde_parameters: dict[str, str] = field(default_factory=dict)
    stored_as: str = ""
    input_format: str = ""
    output_format: str = ""
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)


class HiveParser:
    """A cursor over one statement's tokens, with the parts that several statements share."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.position = 0

    # -------------------- tokens

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.position >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """The next word in upper case, or what stands there."""
        at = self.position + ahead
        if at >= len(self.tokens):
            return ""
        token = self.tokens[at]
        return token.text.upper() if token.kind == "word" else token.text

    def fail(self, expected: str) -> AthenaError:
        """That the next token is not what has to stand there."""
        if self.at_end:
            return parse_error(self.sql, len(self.sql), f"mismatched input '<EOF>' expecting {expected}")
        token = self.tokens[self.position]
        return parse_error(self.sql, token.at, f"mismatched input '{token.text}' expecting {expected}")

    def take(self, *words: str) -> bool:
        """Read these words if they come next."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Read these words, which have to come next."""
        for word in words:
            if not self.take(word):
                raise self.fail(word)

    def end(self) -> None:
        """Nothing may follow."""
        if not self.at_end:
            token = self.tokens[self.position]
            raise parse_error(self.sql, token.at, f"missing EOF at '{token.text}'")

    # -------------------- names, texts, types

    def name(self) -> str:
        """An identifier: reserved words need backticks, and double quotes are for queries."""
        if self.at_end:
            raise self.fail("Identifier")
        token = self.tokens[self.position]
        if token.kind == "quoted":
            self.position += 1
            return token.text[1:-1].replace("``", "`").lower()
        if token.kind != "word" or token.text.upper() in RESERVED_IN_DDL:
            raise parse_error(
                self.sql, token.at, f"cannot recognize input near '{token.text}'. Expecting an identifier"
            )
        if not token.text[0].isalpha():
            # https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
            raise parse_error(self.sql, token.at, f"cannot recognize input near '{token.text}'. It needs backticks")
        self.position += 1
        return token.text.lower()

    def table_name(self) -> tuple[str | None, str]:
        """`name` or `schema.name`; the catalog may be written before both."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) == 3 and parts[0] == "awsdatacatalog":
            parts = parts[1:]
        if len(parts) > 2:
            raise self.fail("a table name of at most two parts")
        return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])

    def text(self) -> str:
        """A string in single or double quotes."""
        if self.at_end or self.tokens[self.position].kind not in ("text", "double"):
            raise self.fail("StringLiteral")
        self.position += 1
        return _unescape(self.tokens[self.position - 1].text)

    def number(self) -> int:
        """A whole number."""
        if not self.peek().isdigit():
            raise self.fail("Number")
        self.position += 1
        return int(self.tokens[self.position - 1].text)

    def type(self) -> str:
        """A Hive type; `integer`, `text` and the like are not Hive's."""
        token = self.tokens[self.position] if not self.at_end else None
        if token is None or token.kind != "word" or token.text.lower() not in _HIVE_TYPES:
            raise self.fail("a Hive type")
        self.position += 1
        base = token.text.lower()
        if base == "double" and self.peek() == "PRECISION":
            raise self.fail("the end of the column's type")
        if base in ("varchar", "char") and self.peek() != "(":
            raise self.fail("( near column type")
        if self.take("("):
            sizes = [str(self.number())]
            while self.take(","):
                sizes.append(str(self.number()))
            self.expect(")")
            text = f"{base}({','.join(sizes)})"
        elif self.take("<"):
            parts = [self._type_part(base)]
            while self.take(","):
                parts.append(self._type_part(base))
            self.expect(">")
            text = f"{base}<{','.join(parts)}>"
        else:
            text = base
        from_hive(text)
        return text

    def _type_part(self, base: str) -> str:
        if base != "struct":
            return self.type()
        name = self.name()
        self.expect(":")
        return f"{name}:{self.type()}"

    def column(self) -> Column:
        """`name type [COMMENT text]`."""
        name, kind = self.name(), self.type()
        return Column(name, kind, self.text() if self.take("COMMENT") else "")

    def columns(self) -> list[Column]:
        """Columns in parentheses."""
        self.expect("(")
        found = [self.column()]
        while self.take(","):
            found.append(self.column())
        self.expect(")")
        return found

    def names(self) -> list[str]:
        """Identifiers in parentheses."""
        self.expect("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.expect(")")
        return found

    def properties(self) -> dict[str, str]:
        """`('key' = 'value', …)`."""
        return self._values_by(self.text)

    def _property_value(self) -> str:
        token = self.tokens[self.position] if not self.at_end else None
        if token is not None and token.kind in ("word", "number"):
            self.position += 1
            return token.text
        return self.text()

    def partition_spec(self) -> dict[str, str]:
        """`PARTITION (key = value, …)`, after the word PARTITION."""
        return self._values_by(self.name)

    def _values_by(self, read_key: Callable[[], str]) -> dict[str, str]:
        self.expect("(")
        found = {}
        while True:
            key = read_key()
            self.expect("=")
            found[key] = self._property_value()
            if not self.take(","):
                break
        self.expect(")")
        return found

    # -------------------- CREATE TABLE

    def create_table(self) -> TableDefinition:
        """`[EXTERNAL] TABLE …`, after CREATE."""
        external = self.take("EXTERNAL")
        self.expect("TABLE")
        if_not_exists = self.take("IF", "NOT", "EXISTS")
        schema, name = self.table_name()
        definition = TableDefinition(schema, name, external, if_not_exists)
        if self.peek() == "LIKE":
            # https://docs.aws.amazon.com/athena/latest/ug/unsupported-ddl.html
            raise self.fail("(, since Athena has no CREATE TABLE LIKE")
        definition.columns = self.columns()
        while not self.at_end:
            self._clause(definition)
        return definition

    def _clause(self, definition: TableDefinition) -> None:
        if self.take("COMMENT"):
            definition.comment = self.text()
        elif self.take("PARTITIONED", "BY"):
            self._partitioned_by(definition)
        elif self.take("CLUSTERED", "BY"):
            definition.bucketed_by = self.names()
            self.expect("INTO")
            definition.bucket_count = self.number()
            self.expect("BUCKETS")
        elif self.take("ROW", "FORMAT"):
            self._row_format(definition)
        elif self.take("STORED", "AS"):
            self._stored_as(definition)
        elif self.take("LOCATION"):
            definition.location = self.text()
        elif self.take("TBLPROPERTIES"):
            definition.properties = self.properties()
        elif self.take("WITH", "SERDEPROPERTIES"):
            definition.serde_parameters.update(self.properties())
        else:
            self.end()

    def _partitioned_by(self, definition: TableDefinition) -> None:
        """Hive's keys have types and are columns of their own; Iceberg's name the table's columns, or transforms."""
        self.expect("(")
        while True:
            # A transform's name is no identifier: TRUNCATE is reserved otherwise.
            name = self.tokens[self.position].text.lower() if self.peek(1) == "(" else self.name()
            if self.peek(1) == "(":
                self.position += 1
            if self.take("("):
                arguments = [self._transform_argument()]
                while self.take(","):
                    arguments.append(self._transform_argument())
                self.expect(")")
                definition.partition_transforms.append(f"{name}({', '.join(arguments)})")
            elif self.peek() in (",", ")"):
                definition.partition_transforms.append(name)
            else:
                comment_type = self.type()
                comment = self.text() if self.take("COMMENT") else ""
                definition.partition_keys.append(Column(name, comment_type, comment))
            if not self.take(","):
                break
        self.expect(")")

    def _transform_argument(self) -> str:
        return str(self.number()) if self.peek().isdigit() else self.name()

    def _row_format(self, definition: TableDefinition) -> None:
        if self.take("SERDE"):
            definition.serde = self.text()
            return
        self.expect("DELIMITED")
        words = {
            ("FIELDS", "TERMINATED", "BY"): "field.delim",
            ("ESCAPED", "BY"): "escape.delim",
            ("COLLECTION", "ITEMS", "TERMINATED", "BY"): "collection.delim",
            ("MAP", "KEYS", "TERMINATED", "BY"): "mapkey.delim",
            ("LINES", "TERMINATED", "BY"): "line.delim",
            ("NULL", "DEFINED", "AS"): "serialization.null.format",
        }
        found = True
        while found:
            found = False
            for phrase, parameter in words.items():
                if self.take(*phrase):
                    definition.serde_parameters[parameter] = self.text()
                    found = True

    def _stored_as(self, definition: TableDefinition) -> None:
        if self.take("INPUTFORMAT"):
            definition.input_format = self.text()
            self.expect("OUTPUTFORMAT")
            definition.output_format = self.text()
        else:
            definition.stored_as = self.name()
