"""Errors as Redshift reports them: an SQLSTATE, a message, and sometimes a detail and a hint."""

from dataclasses import dataclass

SYNTAX_ERROR = "42601"
FEATURE_NOT_SUPPORTED = "0A000"
UNDEFINED_FUNCTION = "42883"
UNDEFINED_COLUMN = "42703"
UNDEFINED_OBJECT = "42704"
INVALID_PARAMETER_VALUE = "22023"
INVALID_COLUMN_DEFINITION = "42611"
INVALID_TABLE_DEFINITION = "42P16"
INVALID_PASSWORD = "28000"  # noqa: S105 - an SQLSTATE
INTERNAL_ERROR = "XX000"
ACTIVE_SQL_TRANSACTION = "25001"
OBJECT_NOT_IN_PREREQUISITE_STATE = "55000"
QUERY_CANCELED = "57014"


@dataclass
class RedshiftError(Exception):
    """A statement that Redshift refuses, or that is not emulated here."""

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """The message alone."""
        return self.message


def not_supported(what: str) -> RedshiftError:
    """What Redshift itself refuses because it lacks it."""
    return RedshiftError(FEATURE_NOT_SUPPORTED, f"{what} is not supported")


def not_emulated(what: str) -> RedshiftError:
    """What Redshift can do and this endpoint cannot: said, so that nobody takes it for the vendor's refusal."""
    return RedshiftError(
        FEATURE_NOT_SUPPORTED, f"{what} is not emulated by the local Redshift endpoint", hint="Redshift itself has it."
    )


def syntax_error(near: str) -> RedshiftError:
    """A statement that cannot be read."""
    return RedshiftError(SYNTAX_ERROR, f'syntax error at or near "{near}"' if near else "syntax error at end of input")
