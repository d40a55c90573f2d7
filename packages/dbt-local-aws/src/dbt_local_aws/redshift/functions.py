"""Names that mean something on Redshift. Functions of other names are refused, whatever PostgreSQL would do."""

from importlib import resources


def _names(file: str) -> frozenset[str]:
    text = resources.files("dbt_local_aws.redshift").joinpath("names", file).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(" ".join(lines).split())


REDSHIFT_FUNCTIONS = _names("redshift_functions.txt")
LEADER_NODE_FUNCTIONS = _names("leader_node_functions.txt")
COMPUTE_NODE_FUNCTIONS = _names("compute_node_functions.txt")
NOT_EMULATED_FUNCTIONS = _names("not_emulated_functions.txt")
KEYWORDS_BEFORE_PARENTHESIS = _names("keywords.txt")
NOT_EMULATED_RELATIONS = _names("not_emulated_relations.txt")
RESERVED_WORDS = _names("reserved_words.txt")
