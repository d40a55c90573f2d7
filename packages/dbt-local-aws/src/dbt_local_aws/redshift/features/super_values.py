"""Navigation into SUPER values, and FROM items that go through their arrays and objects.

Source: "Querying semistructured data" (query-super): `a.b[0].c`; `from t, t.items as i at k`, where `i` is a value of
the array and `k` its index; `unpivot t.object as value at attribute`. "SUPER configurations" (super-configurations):
names of attributes are in lower case, unless enable_case_sensitive_super_attribute is on, or they are quoted while
enable_case_sensitive_identifier is on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.features.block import Block, Item, outside_subqueries
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.features.sources import Source, cross_joined, sources
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.tokens import Kind, Token, closing, spaced, split, sql, word_at

_COMPARISONS = {"=", "<>", "!=", "<", ">", "<=", ">="}


@dataclass(frozen=True, slots=True)
class _Chain:
    """Names and subscripts that stand in one: `a.b[0].c`."""

    begin: int
    end: int
    steps: list[list[Token]]  # of one name each, or of what stands in brackets, with them

    @property
    def names(self) -> list[str]:
        """The names at its beginning."""
        found: list[str] = []
        for step in self.steps:
            if len(step) != 1:
                break
            found.append(step[0].name)
        return found


def rewrite(block: Block, scope: Scope) -> bool:
    """Calls functions in the place of dots and brackets."""
    unnested = _unnest(block, scope)
    source = block.body("from")
    if unnested:
        _quote(block, {one.name.removesuffix(" of") for one in sources(source) if one.name.endswith(" of")})
    known = _Known(sources(source), scope)
    changed = unnested
    for position, item in enumerate(block.items):
        expression, name = _navigated(item.expression, known)
        if name is not None:
            block.items[position] = Item(expression, item.alias or _name_of(item.expression, name))
            changed = True
    for clause in ("where", "connect", "group", "having", "qualify", "order"):
        body, name = _navigated(block.body(clause), known)
        if name is not None:
            block.put(clause, body)
            changed = True
    return changed | _join_conditions(block, known)


def _quote(block: Block, names: set[str]) -> None:
    """The values have names that may be words of PostgreSQL's, as `array`."""
    for item in block.items:
        item.expression = _quoted(item.expression, names)
    for clause in ("where", "group", "having", "qualify", "order"):
        if clause in block.clauses:
            block.put(clause, _quoted(block.body(clause), names))


def _quoted(tokens: Sequence[Token], names: set[str]) -> list[Token]:
    return [
        Token(Kind.NAME, quoted(token.word), token.before)
        if token.kind is Kind.WORD and token.word in names and word_at(tokens, at + 1) != "("
        else token
        for at, token in enumerate(tokens)
    ]


class _Known:
    """What a name means in a SELECT."""

    def __init__(self, listed: Sequence[Source], scope: Scope) -> None:
        self._relations = {source.name for source in listed}
        self._source = cross_joined(listed)
        self._scope = scope

    def base(self, chain: _Chain) -> int:
        """How many of the chain's first names are the column's own; 0 where it is no path into a value."""
        names = chain.names
        if not self._source or len(chain.steps) < 2:
            return 0
        if len(chain.steps) == 2 and len(names) == 2 and names[0] in self._relations:
            return 0  # the column of a table
        if len(names) > 2 and names[1] in self._relations and names[0] not in self._relations:
            own = 3  # schema.table.column
        elif len(names) > 1 and names[0] in self._relations:
            own = 2
        else:
            own = 1
        if not own <= len(names) or len(chain.steps) <= own:
            return 0
        return own if self._scope.is_super(self._source, names[own - 1]) else 0


def _chains(tokens: Sequence[Token]) -> list[_Chain]:
    """The chains of names and subscripts, in no subquery."""
    found: list[_Chain] = []
    done = 0
    for at in outside_subqueries(tokens):
        if at < done or not tokens[at].is_identifier or word_at(tokens, at - 1) in (".", "::", "as"):
            continue
        chain = _chain(tokens, at)
        done = chain.end
        if len(chain.steps) > 1 and word_at(tokens, chain.end) != "(":
            found.append(chain)
    return found


def _chain(tokens: Sequence[Token], at: int) -> _Chain:
    begin, steps = at, [[tokens[at]]]
    at += 1
    while True:
        if word_at(tokens, at) == "." and at + 1 < len(tokens) and tokens[at + 1].is_identifier:
            steps.append([tokens[at + 1]])
            at += 2
        elif word_at(tokens, at) == "[" and word_at(tokens, at - 1) != "array":
            end = closing(tokens, at)
            steps.append(list(tokens[at : end + 1]))
            at = end + 1
        else:
            return _Chain(begin, at, steps)


def _navigated(tokens: Sequence[Token], known: _Known) -> tuple[list[Token], Token | None]:
    """The tokens with functions for paths, and the last name of the last path; no name where there is no path."""
    output: list[Token] = []
    name: Token | None = None
    done = 0
    for chain in _chains(tokens):
        own = known.base(chain)
        if own:
            output += [*tokens[done : chain.begin], *_path(chain, own, known)]
            name = next(step[0] for step in reversed(chain.steps) if len(step) == 1)
            done = chain.end
            literals, done = _list_of_literals(tokens, done)
            output += literals
    return [*output, *tokens[done:]], name


def _path(chain: _Chain, own: int, known: _Known) -> list[Token]:
    value = sql(quoted(chain.steps[0][0].name))
    for step in chain.steps[1:own]:
        value += [*sql("."), step[0]]
    for step in chain.steps[own:]:
        if len(step) == 1:
            folded = step[0].name
            written = step[0].text if step[0].kind is Kind.WORD else folded
            value = [*sql("redshift_internal.attribute("), *value, *sql(f", {literal(folded)}, {literal(written)})")]
        else:
            index, _ = _navigated(step[1:-1], known)
            value = [*sql("redshift_internal.element("), *value, *sql(","), *spaced(index), *sql(")")]
    return value


def _list_of_literals(tokens: Sequence[Token], at: int) -> tuple[list[Token], int]:
    """`in ('a', 'b')` behind a path, whose literals are texts: PostgreSQL would take them for SUPER values."""
    negated = word_at(tokens, at) == "not"
    opening = at + negated + 1
    if word_at(tokens, opening - 1) != "in" or word_at(tokens, opening) != "(":
        return [], at
    end = closing(tokens, opening)
    output = list(tokens[at : opening + 1])
    for token in tokens[opening + 1 : end + 1]:
        output += [token, *(sql("::varchar") if token.kind is Kind.STRING else [])]
    return output, end + 1


def _name_of(expression: Sequence[Token], name: Token) -> Token | None:
    """The name that a path has where it gets no other one: its last attribute."""
    first = next(iter(_chains(expression)), None)
    if first is None or first.begin != 0:
        return None
    is_cast = word_at(expression, first.end) == "::"
    return name if first.end == len(expression) or is_cast else None


def _join_conditions(block: Block, known: _Known) -> bool:
    """Paths in the conditions of joins."""
    source = block.body("from")
    if not any(token.word == "on" for token in source):
        return False
    body, name = _navigated(source, known)
    if name is not None:
        block.put("from", body)
    return name is not None


def _unnest(block: Block, scope: Scope) -> bool:
    """Puts a function in the place of every FROM item that goes through an array or an object."""
    parts = split(block.body("from"))
    output: list[Token] = []
    changed = False
    for position, part in enumerate(parts):
        item = _unnested(part, output, scope) if position else None
        changed |= item is not None
        separator = sql("cross join lateral") if item is not None else sql(",")
        output += [*(separator if position else []), *spaced(item or part)]
    if changed:
        block.put("from", output)
    return changed


def _unnested(part: Sequence[Token], before: Sequence[Token], scope: Scope) -> list[Token] | None:
    """`path [as] value [at place]` as a call; nothing where the item is a relation."""
    is_object = word_at(part, 0) == "unpivot"
    if is_object:
        part = part[1:]
    if not part or not part[0].is_identifier:
        return None
    chain = _chain(part, 0)
    names = [one.name for one in sources(before)]
    if len(chain.steps) > 1:
        own = 2 if chain.names and chain.names[0] in names else 1
        if own == 1 and not is_object and not _is_column(chain.names[:1], before, scope, names):
            return None
    elif not is_object and not _is_value(part[0], before):
        return None
    else:
        own = 1
    value, place = _aliases(part, chain.end)
    known = _Known(sources(before), scope)
    path = _path(chain, min(own, len(chain.steps)), known)
    function, columns = ("members", ["member", "attribute"]) if is_object else ("elements", ["element", "place"])
    names_of_columns = [quoted(name) for name in (value, place) if name is not None]
    kept = ", ".join(columns[: len(names_of_columns)])
    select = f"(select {kept} from redshift_internal.{function}("  # noqa: S608 - names of our own
    described = f"{quoted(f'{value} of')} ({', '.join(names_of_columns)})"
    return [*sql(select), *path, *sql(f")) as {described}")]


def _is_value(name: Token, before: Sequence[Token]) -> bool:
    """Whether a name alone is a value that an item before it goes through."""
    return any(source.name == f"{name.name} of" for source in sources(before))


def _is_column(names: Sequence[str], before: Sequence[Token], scope: Scope, relations: Sequence[str]) -> bool:
    if not names or names[0] in relations:
        return False
    return any(name.endswith(" of") and name == f"{names[0]} of" for name in relations) or (
        names[0] in scope.names_of(before)
    )


def _aliases(part: Sequence[Token], at: int) -> tuple[str, str | None]:
    """The names of the value and of its place, which has none unless AT gives it one."""
    at += word_at(part, at) == "as"
    value = part[at].name if at < len(part) and part[at].word != "at" and part[at].is_identifier else "?column?"
    at += value != "?column?"
    place = part[at + 1].name if word_at(part, at) == "at" and at + 1 < len(part) else None
    return value, place
