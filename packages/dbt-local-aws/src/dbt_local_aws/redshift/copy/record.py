"""One record of a file."""

from dataclasses import dataclass

# Error codes of the "Load error reference":
# https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
EXTRA_COLUMNS = 1202
STRING_TOO_LONG = 1204
INVALID_DATE = 1205
INVALID_TIMESTAMP = 1206
INVALID_DIGIT = 1207
OVERFLOW = 1208
INVALID_BOOLEAN = 1210
MISSING_DATA = 1213
DELIMITER_NOT_FOUND = 1214
INVALID_LINE = 1216
INVALID_CHARACTER = 1220

MAX_ROW_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON value or the fields of a line, or what was found instead."""

    line: int  # the last one of the record
    text: str
    value: object = None
    fault: str = ""
    code: int = INVALID_LINE


def is_too_long(text: str) -> bool:
    """Whether a record has more bytes than a row may have."""
    if len(text) > MAX_ROW_BYTES:
        return True
    return len(text) * 4 > MAX_ROW_BYTES and len(text.encode("utf-8", "surrogateescape")) > MAX_ROW_BYTES
