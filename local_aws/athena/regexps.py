"""Regular expressions as Trino has them (Java's), for DuckDB's RE2.

https://trino.io/docs/current/functions/regexp.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from local_aws.athena import types
from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.functions import Value, literal_of, quote
from local_aws.athena.types import SqlType

# Groups are opened by plain brackets, or by named ones.
_GROUP = re.compile(r"\((?!\?)|\(\?P?<(?P<name>[A-Za-z]\w*)>")
_ESCAPES_AND_CLASSES = re.compile(r"\\.|\[(?:\\.|[^\]])*\]", re.DOTALL)
_MAX_LENGTH = 2**31 - 1
_REPLACEMENT = re.compile(r"\\(?P<literal>.)|\$(?:(?P<group>\d+)|\{(?P<name>\w+)\})|(?P<plain>[^\\$])", re.DOTALL)


def _bare(pattern: str) -> str:
    """The pattern with nothing but blanks where it has escapes and character classes."""
    return _ESCAPES_AND_CLASSES.sub(lambda found: " " * len(found[0]), pattern)


def _groups(pattern: str) -> list[re.Match[str]]:
    return list(_GROUP.finditer(_bare(pattern)))


def pattern_sql(value: Value) -> str:
    """A pattern for RE2, which writes named groups differently."""
    if value.literal is None:
        return value.sql
    bare, parts, last = _bare(value.literal), [], 0
    for found in re.finditer(r"\(\?<(?=[A-Za-z])", bare):
        parts += [value.literal[last : found.start()], "(?P<"]
        last = found.end()
    return quote("".join([*parts, value.literal[last:]]))


def _invalid(message: str) -> AthenaError:
    return AthenaError("INVALID_FUNCTION_ARGUMENT", message)


def _group_of(value: Value, pattern: str) -> int:
    group, groups = int(literal_of(value, "the group of a regular expression")), len(_groups(pattern))
    if not 0 <= group <= groups:
        raise _invalid(f"Pattern has {groups} groups. Cannot access group {group}")
    return group


def _inner(pattern: str, group: int) -> str:
    """What a group encloses."""
    bare, start = _bare(pattern), _groups(pattern)[group - 1].end()
    depth = 1
    for at in range(start, len(bare)):
        depth += (bare[at] == "(") - (bare[at] == ")")
        if depth == 0:
            return pattern[start:at]
    return pattern[start:]


def _may_be_left_out(pattern: str) -> bool:
    bare = _bare(pattern)
    return "|" in bare or bool(re.search(r"\)[?*{]", bare))


def _can_be_empty(pattern: str, group: int) -> bool:
    try:
        return re.fullmatch(_inner(pattern, group), "") is not None
    except re.error:
        return True


def extract(args: Sequence[Value]) -> str:
    """`regexp_extract(text, pattern, group)`: a group that takes no part in the match is null, and '' in DuckDB."""
    pattern = literal_of(args[1], "the pattern of regexp_extract beside a group")
    group = _group_of(args[2], pattern)
    found = f"trino_regexp_extract({args[0].sql}, {pattern_sql(args[1])}, {group})"
    if group == 0 or not _may_be_left_out(pattern):
        return found
    if _can_be_empty(pattern, group):
        raise NotEmulatedError(f"group {group} of {pattern}, which can be empty and can take no part in a match")
    return f"nullif({found}, '')"


def extract_all(args: Sequence[Value]) -> str:
    """`regexp_extract_all(text, pattern, group)`."""
    pattern = literal_of(args[1], "the pattern of regexp_extract_all beside a group")
    group = _group_of(args[2], pattern)
    if group and _may_be_left_out(pattern):
        raise NotEmulatedError(f"group {group} of {pattern}, which can take no part in a match")
    return f"regexp_extract_all({args[0].sql}, {pattern_sql(args[1])}, {group})"


def _group_number(text: str, groups: int) -> tuple[int, str]:
    """Java takes as many digits as there are groups for, and the rest for text."""
    for size in range(len(text), 0, -1):
        if int(text[:size]) <= groups:
            return int(text[:size]), text[size:]
    raise _invalid(f"Illegal replacement sequence: unknown group {text[0]}")


def _replacement(text: str, pattern: str) -> str:
    """A replacement with groups as RE2 writes them: \\1 instead of $1."""
    groups = _groups(pattern)
    names = [found["name"] for found in groups]
    parts, last = [], 0
    for found in _REPLACEMENT.finditer(text):
        if found.start() != last:
            break
        last = found.end()
        if (plain := found["plain"] or found["literal"]) is not None:
            parts.append(plain.replace("\\", "\\\\"))
            continue
        if found["name"] and found["name"] not in names:
            raise _invalid(f"Illegal replacement sequence: unknown group {{ {found['name']} }}")
        number, rest = (
            (names.index(found["name"]) + 1, "") if found["name"] else _group_number(found["group"], len(groups))
        )
        if number > 9:
            raise NotEmulatedError("more than nine groups in a replacement")
        parts.append(f"\\{number}{rest}")
    if last != len(text):
        raise _invalid(f"Illegal replacement sequence: {text}")
    return "".join(parts)


def replace(args: Sequence[Value]) -> str:
    """`regexp_replace(text, pattern, replacement)`."""
    text = literal_of(args[2], "the replacement of regexp_replace")
    pattern = args[1].literal
    if pattern is None and re.search(r"[\\$]", text):
        raise NotEmulatedError("a replacement with groups beside a pattern that is not a literal")
    return f"regexp_replace({args[0].sql}, {pattern_sql(args[1])}, {quote(_replacement(text, pattern or ''))}, 'g')"


def replaced_type(args: Sequence[Value]) -> SqlType:
    """The longest text that a replacement can give; Trino's formula."""
    kinds = [args[0].type, args[2].type]
    if any(not kind.args for kind in kinds):
        return types.VARCHAR
    size, new = (kind.args[0] for kind in kinds)
    longest = size + max(size * new // 2, new) * (size + 1)
    return types.varchar(longest) if longest < _MAX_LENGTH else types.VARCHAR
