"""Users, groups and roles, and what they are granted.

PostgreSQL has one kind of all three. Which one it was is written down, for the catalogue to tell; their names must
differ here.
"""

from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift import superuser
from dbt_local_aws.redshift.errors import (
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    RedshiftError,
    not_emulated,
    syntax_error,
)
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script
from dbt_local_aws.redshift.tokens import Kind, Token, render, sql, starts_with, word_at

_PASSWORD_LENGTHS = range(8, 65)


def translate_create_identity(tokens: Sequence[Token]) -> Script:
    """CREATE USER, GROUP and ROLE."""
    kind = tokens[1].word
    if len(tokens) < 3:
        raise syntax_error("")
    name, rest = tokens[2].name, tokens[3:]
    create, record = f'create {kind} "{name}"', superuser.record(name, kind)
    if kind == "user":
        options, promotions = _user_options(name, rest)
        return Script((f"{create}{options}", record, *promotions), tag="CREATE USER")
    if kind == "role" and rest:
        raise not_emulated("CREATE ROLE … EXTERNALID") if word_at(rest, 0) == "externalid" else _error(tokens, 3)
    if not rest:
        return Script((create, record), tag=f"CREATE {kind.upper()}")
    members = rest[word_at(rest, 0) == "with" :]
    if word_at(members, 0) != "user":
        raise _error(members, 0)
    # afterwards, as a superuser's doing: whoever is the creator has no rights in it
    return Script((create, record, f'alter group "{name}" add{render(members)}'), tag="CREATE GROUP")


def _error(tokens: Sequence[Token], at: int) -> RedshiftError:
    return syntax_error(tokens[at].text if at < len(tokens) else "")


def translate_alter_identity(tokens: Sequence[Token]) -> Plan:
    """ALTER USER, GROUP and ROLE."""
    kind, action = tokens[1].word, word_at(tokens, 3)
    if kind == "user" and action == "set":
        return Forward(f'alter user "{tokens[2].name}" {settings.translate_set(tokens[3:]).sql}')
    if kind == "user" and action == "reset":
        return Forward(f'alter user "{tokens[2].name}" {settings.translate_reset(tokens[3:]).sql}')
    if kind == "user" and action != "rename":
        options, promotions = _user_options(tokens[2].name, tokens[3:])
        return Script((f'alter user "{tokens[2].name}"{options}', *promotions), tag="ALTER ROLE")
    allowed = {"user": ("rename",), "group": ("add", "drop", "rename"), "role": ("rename", "owner")}
    if kind == "role" and action in ("with", "externalid"):
        raise not_emulated("ALTER ROLE … EXTERNALID")
    if action not in allowed[kind] or (action in ("add", "drop") and word_at(tokens, 4) != "user"):
        raise _error(tokens, 3)
    return Forward(render(tokens))


def _user_options(user: str, tokens: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    """The options as PostgreSQL has them, and the statements that make a superuser, or none any more."""
    output: list[Token] = []
    promotions: tuple[str, ...] = ()
    at = 0
    while at < len(tokens):
        match tokens[at].word:
            case "password":
                output += _password(tokens, at)
                at += 2
            case "createuser" | "nocreateuser" as option:
                promotions = (superuser.promote(user, to=option == "createuser"),)
                at += 1
            case "syslog" | "session":
                at += 3  # SYSLOG ACCESS level, SESSION TIMEOUT seconds: nothing here looks at them
            case "reset" if starts_with(tokens, "session", "timeout", at=at + 1):
                at += 3
            case "externalid":
                raise not_emulated("EXTERNALID")
            case "with" | "createdb" | "nocreatedb":
                output.append(tokens[at])
                at += 1
            case "valid" if starts_with(tokens, "until", at=at + 1) and at + 2 < len(tokens):
                output += tokens[at : at + 3]
                at += 3
            case "connection" if starts_with(tokens, "limit", at=at + 1) and at + 2 < len(tokens):
                output += sql("connection limit -1") if word_at(tokens, at + 2) == "unlimited" else tokens[at : at + 3]
                at += 3
            case "in" if starts_with(tokens, "group", at=at + 1):
                output += tokens[at:]
                at = len(tokens)
            case _:
                raise _error(tokens, at)
    return render(output), promotions


def _password(tokens: Sequence[Token], at: int) -> list[Token]:
    if word_at(tokens, at + 1) == "disable":
        return sql("password null")
    if at + 1 >= len(tokens) or tokens[at + 1].kind is not Kind.STRING:
        raise syntax_error("password")
    password = tokens[at + 1].value
    if password.startswith(("md5", "sha256|")):
        raise not_emulated("a password that is hashed already")
    strong = (
        any(c.isupper() for c in password) and any(c.islower() for c in password) and any(c.isdigit() for c in password)
    )
    if len(password) not in _PASSWORD_LENGTHS or not strong or any(c in "'\"\\/@ " for c in password):
        raise RedshiftError(
            INVALID_PARAMETER_VALUE,
            "password must be 8 to 64 characters long, and contain an uppercase letter, a lowercase letter and "
            "a digit, and none of ' \" \\ / @ or space",
        )
    return sql(f"password {literal(password)}")


_PRIVILEGES = {
    "select", "insert", "update", "delete", "references", "truncate", "create", "temporary", "temp", "usage", "execute",
    "all", "privileges",
}  # fmt: skip
_PRIVILEGES_NOT_EMULATED = {"drop", "alter", "rule", "assumerole", "explain", "ignore", "masking"}


def translate_grant(tokens: Sequence[Token]) -> Forward:
    """GRANT, REVOKE and ALTER DEFAULT PRIVILEGES: PostgreSQL's, once the word ROLE is gone before names."""
    words = [token.word for token in tokens]
    if words[1:2] == ["role"]:  # GRANT ROLE a TO ROLE b
        return Forward(render(_without_role(tokens)))
    action = next((at for at, word in enumerate(words) if word in ("grant", "revoke")), 0)
    on = words.index("on", action) if "on" in words[action:] else len(words)
    _check_privileges(tokens, action + 1 + 3 * starts_with(tokens, "grant", "option", "for", at=action + 1), on)
    if words[on + 1 : on + 2] in (["datashare"], ["model"], ["language"], ["copy"]):
        raise not_emulated(f"a privilege on a {words[on + 1]}")
    if words[on + 1 : on + 2] in (["sequence"], ["tablespace"], ["type"], ["domain"], ["foreign"], ["large"]):
        raise _error(tokens, on + 1)
    if "for" in words and starts_with(tokens, "schemas|tables", "in", at=words.index("for") + 1):
        raise not_emulated("scoped permissions")
    if words[-1] == "cascade":
        raise _error(tokens, len(tokens) - 1)
    return Forward(render(_without_role(tokens)))


def _check_privileges(tokens: Sequence[Token], start: int, on: int) -> None:
    if on == len(tokens):
        raise _error(tokens, on)  # a role is granted by GRANT ROLE
    for at in range(start, on):
        word = tokens[at].word
        if word == "(":
            raise not_emulated("a privilege on a column")
        if word in _PRIVILEGES_NOT_EMULATED:
            raise not_emulated(f"the privilege {word.upper()}")
        if word not in _PRIVILEGES and word != ",":
            raise RedshiftError(SYNTAX_ERROR, f'unrecognized privilege type "{tokens[at].name}"')


def _without_role(tokens: Sequence[Token]) -> list[Token]:
    output: list[Token] = []
    for at, token in enumerate(tokens):
        if token.word == "role" and word_at(tokens, at - 1) in ("to", "from", ",", "grant", "revoke", "for"):
            continue
        output.append(replace(token, before=token.before or " "))
    return output
