"""Users, groups and roles, and what they are granted.

PostgreSQL has one kind of all three. Which one it was is written down, for the catalogue to tell; their names must
differ here.
"""

from collections.abc import Sequence
from dataclasses import replace

from local_aws.redshift.backend import literal
from local_aws.redshift.errors import INVALID_PARAMETER_VALUE, RedshiftError, not_emulated, syntax_error
from local_aws.redshift.plans import Forward, Script
from local_aws.redshift.tokens import Kind, Token, render, sql, starts_with, word_at

_PASSWORD_LENGTHS = range(8, 65)


def translate_create_identity(tokens: Sequence[Token]) -> Script:
    """CREATE USER, GROUP and ROLE."""
    kind = tokens[1].word
    if len(tokens) < 3:
        raise syntax_error("")
    name = tokens[2].name
    if kind == "user":
        return Script((f'create user "{name}"{_user_options(tokens[3:])}', _record(name, kind)), tag="CREATE USER")
    if kind == "role" and len(tokens) > 3:
        raise not_emulated("CREATE ROLE … EXTERNALID")
    return Script((f'create {kind} "{name}"{render(tokens[3:])}', _record(name, kind)), tag=f"CREATE {kind.upper()}")


def _record(name: str, kind: str) -> str:
    return f"select redshift_internal.record_identity({literal(name)}, {literal(kind)})"


def translate_alter_identity(tokens: Sequence[Token]) -> Forward:
    """ALTER USER, GROUP and ROLE."""
    if tokens[1].word == "user" and word_at(tokens, 3) not in ("rename", "set", "reset"):
        return Forward(f'alter user "{tokens[2].name}"{_user_options(tokens[3:])}')
    return Forward(render(tokens))


def _user_options(tokens: Sequence[Token]) -> str:
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        match tokens[at].word:
            case "password":
                output += _password(tokens, at)
                at += 2
            case "createuser" | "nocreateuser" as option:
                output += sql("superuser" if option == "createuser" else "nosuperuser")
                at += 1
            case "syslog" | "session":
                at += 3  # SYSLOG ACCESS level, SESSION TIMEOUT seconds: nothing here looks at them
            case "reset" if starts_with(tokens, "session", "timeout", at=at + 1):
                at += 3
            case "externalid":
                raise not_emulated("EXTERNALID")
            case _:
                output.append(tokens[at])
                at += 1
    return render(output)


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


def translate_grant(tokens: Sequence[Token]) -> Forward:
    """GRANT, REVOKE and ALTER DEFAULT PRIVILEGES: PostgreSQL's, once the word ROLE is gone before names."""
    words = [token.word for token in tokens]
    if words[1:2] == ["role"]:  # GRANT ROLE a TO ROLE b
        return Forward(render(_without_role(tokens)))
    on = words.index("on") if "on" in words else len(words)
    for privilege in words[1:on]:
        if privilege in ("drop", "alter", "rule", "assumerole", "explain", "ignore", "masking"):
            raise not_emulated(f"the privilege {privilege.upper()}")
    if words[on + 1 : on + 2] in (["datashare"], ["model"], ["language"], ["copy"]):
        raise not_emulated(f"a privilege on a {words[on + 1]}")
    if "for" in words and starts_with(tokens, "schemas|tables", "in", at=words.index("for") + 1):
        raise not_emulated("scoped permissions")
    return Forward(render(_without_role(tokens)))


def _without_role(tokens: Sequence[Token]) -> list[Token]:
    output: list[Token] = []
    for at, token in enumerate(tokens):
        if token.word == "role" and word_at(tokens, at - 1) in ("to", "from", ",", "grant", "revoke", "for"):
            continue
        output.append(replace(token, before=token.before or " "))
    return output
