"""Data types: which names Redshift knows, and what they mean where no length is given."""

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    RedshiftError,
    not_emulated,
    syntax_error,
)
from dbt_local_aws.redshift.intervals import Qualifier, read_qualifier
from dbt_local_aws.redshift.tokens import Kind, Token, closing, split, word_at

MAX_VARCHAR = 65535
MAX_CHAR = 4096
MAX_VARBYTE = 16_777_216
MAX_PRECISION = 38
MAX_SCALE = 37

# Names of several words first: the longest one that fits is taken.
_NAMES = {
    ("character", "varying"): "varchar",
    ("double", "precision"): "double precision",
    ("timestamp", "without", "time", "zone"): "timestamp",
    ("timestamp", "with", "time", "zone"): "timestamptz",
    ("time", "without", "time", "zone"): "time",
    ("time", "with", "time", "zone"): "timetz",
    ("binary", "varying"): "varbyte",
    ("smallint",): "smallint",
    ("int2",): "smallint",
    ("integer",): "integer",
    ("int",): "integer",
    ("int4",): "integer",
    ("bigint",): "bigint",
    ("int8",): "bigint",
    ("decimal",): "numeric",
    ("numeric",): "numeric",
    ("dec",): "numeric",
    ("number",): "numeric",
    ("real",): "real",
    ("float4",): "real",
    ("float8",): "double precision",
    ("float",): "float",
    ("boolean",): "boolean",
    ("bool",): "boolean",
    ("char",): "char",
    ("character",): "char",
    ("nchar",): "char",
    ("bpchar",): "bpchar",
    ("varchar",): "varchar",
    ("nvarchar",): "varchar",
    ("text",): "text",
    ("date",): "date",
    ("datetime",): "timestamp",
    ("timestamp",): "timestamp",
    ("timestamptz",): "timestamptz",
    ("time",): "time",
    ("timetz",): "timetz",
    ("interval",): "interval",
    ("intervaly2m",): "intervaly2m",
    ("intervald2s",): "intervald2s",
    ("super",): "super",
    ("varbyte",): "varbyte",
    ("varbinary",): "varbyte",
    ("geometry",): "geometry",
    ("geography",): "geography",
    ("hllsketch",): "hllsketch",
}
_LONGEST_NAME = max(map(len, _NAMES))
_NOT_EMULATED = {"geometry", "geography", "hllsketch"}
# The catalogue's own types, which queries on the leader node may name
CATALOGUE_TYPES = {
    "name", "oid", "regclass", "regproc", "regtype", "regnamespace", "cstring", "unknown", "aclitem", "xid",
    '"char"',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataType:
    """A data type with its length, or its precision and scale."""

    name: str
    arguments: tuple[int, ...] = ()
    qualifier: Qualifier | None = None  # an interval's

    @property
    def sql(self) -> str:
        """The type as PostgreSQL writes it."""
        return self.name + (f"({','.join(map(str, self.arguments))})" if self.arguments else "")

    @property
    def steps(self) -> tuple[str, ...]:
        """The types that a value is cast to, one after the other: a text without units has those of the qualifier."""
        return (self.sql,) if self.qualifier is None else (self.qualifier.sql, self.name)

    def of_column(self) -> "DataType":
        """The type that a column has which is declared so: lengths have defaults there."""
        if self.name in CATALOGUE_TYPES or self.name == "interval":
            raise RedshiftError(FEATURE_NOT_SUPPORTED, f'type "{self.name}" is not supported in a table')
        match self.name:
            case "text":
                return DataType("varchar", (256,))
            case "varchar":
                return DataType("varchar", self.arguments or (256,))
            case "bpchar":
                return DataType("char", self.arguments or (256,))
            case "char":
                return DataType("char", self.arguments or (1,))
            case "varbyte":
                return DataType("varbyte", self.arguments or (64_000,))
        return self


def read_type(tokens: Sequence[Token], at: int) -> tuple[DataType, int]:
    """The data type that begins at this position, and where what follows it begins."""
    name, at = _read_name(tokens, at)
    if name == "interval":
        qualifier, end = read_qualifier(tokens, at)
        if qualifier is not None:
            return DataType(qualifier.type, qualifier.arguments, qualifier), end
    arguments: tuple[int, ...] = ()
    if word_at(tokens, at) == "(":
        end = closing(tokens, at)
        longest = MAX_CHAR if name in ("char", "bpchar") else MAX_VARCHAR
        arguments = tuple(_argument(part, longest) for part in split(tokens[at + 1 : end]))
        at = end + 1
        # the zone stands behind the precision in `timestamp(6) with time zone`
        if (
            name in ("timestamp", "time")
            and word_at(tokens, at + 1) == "time"
            and word_at(tokens, at) in ("with", "without")
        ):
            name += "tz" if word_at(tokens, at) == "with" else ""
            at += 3
    if word_at(tokens, at) == "[":
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, f'type "{name}[]" is not supported: Redshift has no array types, use super'
        )
    return _checked(name, arguments), at


def _read_name(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    if at < len(tokens) and tokens[at].kind is Kind.NAME:
        names = {"varchar": "varchar", "char": '"char"', **{name: name for name in CATALOGUE_TYPES}}
        if tokens[at].name in names:
            return names[tokens[at].name], at + 1
    # pg_catalog.varchar, as view definitions have it
    if word_at(tokens, at) == "pg_catalog" and word_at(tokens, at + 1) == ".":
        at += 2
    for length in range(_LONGEST_NAME, 0, -1):
        words = tuple(word_at(tokens, at + offset) for offset in range(length))
        if words in _NAMES:
            return _NAMES[words], at + length
    if at >= len(tokens) or not tokens[at].is_identifier:
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    word = tokens[at].name
    if word in CATALOGUE_TYPES:
        return word, at + 1
    raise RedshiftError(FEATURE_NOT_SUPPORTED, f'type "{word}" is not supported')


def _argument(part: Sequence[Token], longest: int) -> int:
    if len(part) == 1 and part[0].word == "max":
        return longest
    if len(part) != 1 or part[0].kind is not Kind.NUMBER or not part[0].text.isdigit():
        raise syntax_error(part[0].text if part else ")")
    return int(part[0].text)


def _checked(name: str, arguments: tuple[int, ...]) -> DataType:
    if name in _NOT_EMULATED:
        raise not_emulated(f"type {name}")
    if name == "text":
        arguments = ()  # TEXT(n) is taken, and its length is not
    limit = {"varchar": MAX_VARCHAR, "char": MAX_CHAR, "bpchar": MAX_CHAR, "varbyte": MAX_VARBYTE}.get(name)
    if limit is not None and arguments and not 0 < arguments[0] <= limit:
        raise RedshiftError(INVALID_PARAMETER_VALUE, f"length for type {name} cannot exceed {limit}")
    if name == "numeric":
        # Redshift's default, which cuts fractions off; PostgreSQL's has no bounds
        arguments = arguments or (18, 0)
        arguments = arguments if len(arguments) == 2 else (arguments[0], 0)
        if not 0 < arguments[0] <= MAX_PRECISION:
            raise RedshiftError(
                INVALID_PARAMETER_VALUE, f"DECIMAL precision {arguments[0]} must be between 1 and {MAX_PRECISION}"
            )
        if arguments[1] > min(arguments[0], MAX_SCALE):
            raise RedshiftError(
                INVALID_PARAMETER_VALUE,
                f"DECIMAL scale {arguments[1]} must be between 0 and {min(arguments[0], MAX_SCALE)}",
            )
    if name in ("timestamp", "timestamptz", "time", "timetz"):
        arguments = ()  # always microseconds
    return DataType(name, arguments)
