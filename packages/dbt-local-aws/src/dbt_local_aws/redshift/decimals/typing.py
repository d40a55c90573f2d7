"""The decimal type of every expression of an analysed query, as far as Redshift's rules and its columns say."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from dbt_local_aws.redshift.decimals.rules import (
    INTEGERS,
    Decimal,
    added,
    aggregated,
    divided,
    multiplied,
    united,
)
from dbt_local_aws.redshift.decimals.tree import Node

NUMERIC = "1700"  # PostgreSQL's number of the type
_NO_MODIFIER = -1
_HEADER = 4  # bytes of a length before a modifier, and before a value
_SCALAR_SUBQUERY = 4

_BINARY: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "numeric_add": added,
    "numeric_sub": added,
    "numeric_mul": multiplied,
    "numeric_div": divided,
    "mod": united,  # inferred
    "numeric_mod": united,
}
# r_ROUND, r_TRUNC, r_CEILING_FLOOR, r_ABS, r_MAX, r_MIN, r_ANY_VALUE, r_WF_LAG, …: the type of the argument
_AS_ARGUMENT = {
    "round", "trunc", "ceil", "ceiling", "floor", "abs", "numeric_abs", "numeric_uminus", "numeric_uplus",
    "max", "min", "any_value", "lag", "lead", "first_value", "last_value", "nth_value",
}  # fmt: skip
FUNCTIONS = {*_BINARY, *_AS_ARGUMENT, "sum", "avg"}  # whose numbers the typing has to know
_TYPE_FIELDS = (
    "vartype", "consttype", "funcresulttype", "opresulttype", "aggtype", "wintype", "paramtype", "resulttype",
    "casetype", "coalescetype", "minmaxtype",
)  # fmt: skip

Scope = tuple[Node, ...]  # the query that an expression belongs to, last, behind those around it


class Typing:
    """Decimal types in one analysed query."""

    def __init__(self, functions: Mapping[str, str]) -> None:
        self._functions = functions  # names by PostgreSQL's numbers
        self._columns: dict[tuple[int, int], Decimal | None] = {}
        self._readers: dict[str, Callable[[Node, Scope], Decimal | None]] = {
            "VAR": self._of_variable,
            "CONST": lambda constant, _: _of_constant(constant),
            "PARAM": lambda value, _: _of_modifier(value.text("paramtype"), value.number("paramtypmod")),
            "RELABELTYPE": self._of_first_argument,
            "NULLIFEXPR": self._of_first_argument,
            "FUNCEXPR": self._of_call,
            "OPEXPR": self._of_call,
            "AGGREF": self._of_call,
            "WINDOWFUNC": self._of_call,
            "COALESCEEXPR": self._of_alternatives,
            "MINMAXEXPR": self._of_alternatives,
            "CASEEXPR": self._of_case,
            "SUBLINK": self._of_subquery,
        }

    def function(self, expression: Node) -> str:
        """The name of the function that an operator, a call or an aggregate runs, if the rules know it."""
        fields = {"OPEXPR": "opfuncid", "FUNCEXPR": "funcid", "AGGREF": "aggfnoid", "WINDOWFUNC": "winfnoid"}
        return self._functions.get(expression.text(fields.get(expression.kind, "")), "")

    def column(self, query: Node, number: int, scope: Scope) -> Decimal | None:
        """The type of a query's column, which counts from one; `scope` ends with the query."""
        key = (id(query), number)
        if key not in self._columns:
            self._columns[key] = None  # a recursive query's own reference to itself says nothing
            self._columns[key] = self._column(query, number, scope)
        return self._columns[key]

    def _column(self, query: Node, number: int, scope: Scope) -> Decimal | None:
        operations = query.node("setOperations")
        if operations is not None:
            return self._of_set_operation(operations, query, number, scope)
        targets = [entry for entry in query.nodes("targetList") if entry.number("resno") == number]
        expression = targets[0].node("expr") if targets else None
        return self.of(expression, scope) if expression is not None else None

    def _of_set_operation(self, operation: Node, query: Node, number: int, scope: Scope) -> Decimal | None:
        if operation.kind == "RANGETBLREF":
            entry = query.nodes("rtable")[operation.number("rtindex") - 1]
            subquery = entry.node("subquery")
            return self.column(subquery, number, (*scope, subquery)) if subquery is not None else None
        sides = [side for side in (operation.node("larg"), operation.node("rarg")) if side is not None]
        found = [self._of_set_operation(side, query, number, scope) for side in sides]
        return united(found[0], found[1]) if len(found) == 2 and found[0] and found[1] else None

    def of(self, expression: Node, scope: Scope) -> Decimal | None:
        """The type of an expression as a decimal, which an integer has, too; none where it is unknown or another."""
        reads = self._readers.get(expression.kind)
        return reads(expression, scope) if reads is not None else None

    def _of_case(self, expression: Node, scope: Scope) -> Decimal | None:
        results = [result for when in expression.nodes("args") if (result := when.node("result")) is not None]
        default = expression.node("defresult")
        return self._united([*results, *([default] if default is not None else [])], scope)

    def _of_alternatives(self, expression: Node, scope: Scope) -> Decimal | None:
        return self._united(expression.nodes("args"), scope)

    def _of_subquery(self, expression: Node, scope: Scope) -> Decimal | None:
        query = expression.node("subselect")
        scalar = expression.number("subLinkType") == _SCALAR_SUBQUERY
        return self.column(query, 1, (*scope, query)) if scalar and query is not None else None

    def _of_first_argument(self, expression: Node, scope: Scope) -> Decimal | None:
        argument = expression.node("arg") or next(iter(expression.nodes("args")), None)
        return self.of(argument, scope) if argument is not None else None

    def _united(self, expressions: Sequence[Node], scope: Scope) -> Decimal | None:
        values = [value for value in expressions if not _is_null(value)]
        types = [self.of(value, scope) for value in values]
        known = [found for found in types if found is not None]
        return reduce(united, known) if known and len(known) == len(values) else None

    def _of_call(self, expression: Node, scope: Scope) -> Decimal | None:
        arguments = [_argument(node) for node in expression.nodes("args")]
        result = {"FUNCEXPR": "funcresulttype", "OPEXPR": "opresulttype", "AGGREF": "aggtype", "WINDOWFUNC": "wintype"}
        result_type = expression.text(result[expression.kind])
        if result_type in INTEGERS:
            return INTEGERS[result_type]
        if result_type != NUMERIC or not arguments:
            return None
        if expression.kind == "FUNCEXPR" and expression.text("funcformat") in ("1", "2"):
            return self._of_cast(arguments, scope)
        return self._of_result(self.function(expression), [self.of(argument, scope) for argument in arguments])

    @staticmethod
    def _of_result(name: str, types: Sequence[Decimal | None]) -> Decimal | None:
        match (name, *types):
            case (_, Decimal() as first, Decimal() as second) if name in _BINARY:
                return _BINARY[name](first, second)
            case (("sum" | "avg"), Decimal() as first):
                return aggregated(first)
        return types[0] if name in _AS_ARGUMENT else None

    def _of_cast(self, arguments: Sequence[Node], scope: Scope) -> Decimal | None:
        """A cast to DECIMAL(p,s) says so itself; an integer has its own precision."""
        if len(arguments) > 1 and arguments[1].kind == "CONST":
            return _of_modifier(NUMERIC, int.from_bytes(_bytes(arguments[1])[:4], "little", signed=True))
        return self.of(arguments[0], scope) if _type_of(arguments[0]) in INTEGERS else None

    def _of_variable(self, variable: Node, scope: Scope) -> Decimal | None:
        declared = _of_modifier(variable.text("vartype"), variable.number("vartypmod"))
        if declared is not None or variable.text("vartype") != NUMERIC:
            return declared
        level = len(scope) - 1 - variable.number("varlevelsup")
        relations = scope[level].nodes("rtable")
        number = variable.number("varno")
        if not 0 < number <= len(relations):
            return None
        return self._of_relation(relations[number - 1], variable.number("varattno"), scope[: level + 1])

    def _of_relation(self, relation: Node, column: int, scope: Scope) -> Decimal | None:
        """The type of a relation's column: of one in FROM that has a query behind it, or joins others."""
        match relation.text("rtekind"):
            case "1":  # a subquery
                query = relation.node("subquery")
                return self.column(query, column, (*scope, query)) if query is not None else None
            case "2" | "9" as kind:  # a join, or what is grouped by
                expressions = relation.nodes("joinaliasvars" if kind == "2" else "groupexprs")
                return self.of(expressions[column - 1], scope) if 0 < column <= len(expressions) else None
            case "6":  # a common table expression
                return self._of_common_table_expression(relation, column, scope)
        return None

    def _of_common_table_expression(self, relation: Node, column: int, scope: Scope) -> Decimal | None:
        level = len(scope) - relation.number("ctelevelsup")
        around = scope[:level]
        for expression in around[-1].nodes("cteList") if around else []:
            query = expression.node("ctequery")
            if expression.text("ctename") == relation.text("ctename") and query is not None:
                return self.column(query, column, (*around, query))
        return None


def _argument(node: Node) -> Node:
    """An aggregate's argument is wrapped into an entry of a list."""
    return node.node("expr") or node if node.kind == "TARGETENTRY" else node


def _type_of(expression: Node) -> str:
    return next((expression.text(field) for field in _TYPE_FIELDS if field in expression.fields), "")


def _is_null(expression: Node) -> bool:
    if expression.kind in ("RELABELTYPE", "FUNCEXPR") and expression.text("funcformat") != "0":
        inner = expression.node("arg") or next(iter(expression.nodes("args")), None)
        return inner is not None and _is_null(inner)
    return expression.kind == "CONST" and expression.text("constisnull") == "true"


def _of_modifier(type_number: str, modifier: int) -> Decimal | None:
    if type_number in INTEGERS:
        return INTEGERS[type_number]
    if type_number != NUMERIC or modifier == _NO_MODIFIER:
        return None
    return Decimal((modifier - _HEADER) >> 16, (modifier - _HEADER) & 0x7FF)


def _of_constant(constant: Node) -> Decimal | None:
    declared = _of_modifier(constant.text("consttype"), constant.number("consttypmod"))
    if declared is not None or constant.text("consttype") != NUMERIC or _is_null(constant):
        return declared
    return _of_value(_bytes(constant)[_HEADER:])


def _bytes(constant: Node) -> bytes:
    """A constant's value, as it lies in memory: a length, and numbers between brackets."""
    words = constant.text("constvalue").split()
    return bytes(int(word) % 256 for word in words[2:-1])


def _of_value(stored: bytes) -> Decimal | None:
    """The digits that a literal has; inferred: one stands before the point at least."""
    header = int.from_bytes(stored[:2], "little")
    if header & 0xC000 == 0xC000:
        return None  # NaN or infinity
    if header & 0x8000:
        scale, weight, digits = (header & 0x1F80) >> 7, header & 0x3F, stored[2:]
        weight -= 0x40 if header & 0x40 else 0
    else:
        scale, weight, digits = header & 0x3FFF, int.from_bytes(stored[2:4], "little", signed=True), stored[4:]
    whole = 1
    if digits and weight >= 0:
        whole = 4 * weight + len(str(int.from_bytes(digits[:2], "little")))
    return Decimal(min(whole + scale, 38), min(scale, 37))
