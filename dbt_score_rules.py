"""dbt-score's rules that are this project's own, and which models its other rules ask: pyproject.toml names them."""

from dbt_score import Model, RuleViolation, rule, rule_filter


@rule_filter
def is_published(model: Model) -> bool:
    """A model that others read: a contract promises its columns."""
    return bool(model.config["contract"]["enforced"])


@rule
def has_owner(model: Model) -> RuleViolation | None:
    """A model belongs to a group, whose owner answers for it: dbt parses no group without one."""
    if model.group:
        return None
    return RuleViolation("Model is in no group of models/_groups.yml, so nobody answers for it.")
