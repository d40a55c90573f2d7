"""Redshift's superusers: the endpoint's own user, and those of CREATE USER … CREATEUSER. None is one of PostgreSQL's.

A superuser of PostgreSQL runs programs and reads files as whoever runs the server, which is the developer. A superuser
of Redshift cannot; but all users, groups, roles, schemas, tables and databases are theirs. That rests on this:

- One role, `rds_superuser`, is a member of every user, group and role, and may administer them: it has what they have,
  and so what they own. A superuser is a member of that role, and has CREATEROLE and CREATEDB. As a superuser is a user,
  too, that is a circle, which PostgreSQL refuses to make and deals with where it is: sql/1_superuser.sql makes it.
- PostgreSQL's own superuser, `rdsdb`, has no password, and no temporary one is taken for it. It owns what the endpoint
  put into the database. The role is no member of it, nor of those that read files or run programs.
- What only `rdsdb` may do and a superuser of Redshift may as well is done by functions with `rdsdb`'s rights. Each of
  them asks who calls, and on whose object; none runs what its caller wrote: no text, and no view, whose functions would
  run with these rights. They find PostgreSQL's functions and operators alone, since their search path is fixed, and
  names of relations are looked up before, with their caller's rights (sql/9_security.sql sees to it for all of them).
- `rdsdb`'s own sessions have that search path, too, and look at nothing but the catalogue and the endpoint's books.
"""

from dbt_local_aws.redshift.quoting import identifier, literal

ROLE = "rds_superuser"


def create_superuser(name: str, password: str) -> tuple[str, ...]:
    """The statements that make the endpoint's own user."""
    return (
        f"create user {identifier(name)} password {literal(password)}",
        record(name, "user"),
        promote(name, to=True),
    )


def create_user(name: str) -> tuple[str, ...]:
    """The statements that make a user without a password."""
    return f"create user {identifier(name)}", record(name, "user")


def record(name: str, kind: str) -> str:
    """The statement that makes a new user, group or role the superusers' to administer."""
    return f"select redshift_internal.record_identity({literal(name)}, {literal(kind)})"


def promote(name: str, *, to: bool) -> str:
    """The statement that makes a superuser of a user, or a user of a superuser."""
    return f"select redshift_internal.set_superuser({literal(name)}, {str(to).lower()})"


def change_owner(kind: str, name: str, owner: str) -> str:
    """The statement that gives an object to another user."""
    return f"select redshift_internal.set_owner({literal(kind)}, {literal(name)}, {literal(owner)})"


def act_as(user: str | None, scope: str) -> tuple[str, ...]:
    """The statements that put another user in the place of the one that logged in, or put that one back."""
    if user is None:
        return (f"set {scope} role none",)
    return "select redshift_internal.check_superuser(session_user)", f"set {scope} role {identifier(user)}"
