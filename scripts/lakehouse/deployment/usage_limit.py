"""Redshift Serverless's limit on RPU hours, for which CloudFormation has no type of its own."""

from collections.abc import Mapping
from typing import Any

from lakehouse.deployment.account import Account, explained


def limit_usage(account: Account, workgroup_arn: str, rpu_hours: int) -> None:
    """Makes Redshift Serverless stop taking queries after some RPU hours of a month.

    https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateUsageLimit.html

    Raises:
        DeploymentError: The limit cannot be set.
    """
    client: Any = account.client("redshift-serverless")
    wanted: Mapping[str, object] = {"amount": rpu_hours, "breachAction": "deactivate"}
    with explained():
        limits = client.list_usage_limits(resourceArn=workgroup_arn, usageType="serverless-compute")["usageLimits"]
        monthly = [limit for limit in limits if limit["period"] == "monthly"]
        if not monthly:
            client.create_usage_limit(
                resourceArn=workgroup_arn, usageType="serverless-compute", period="monthly", **wanted
            )
        elif any(monthly[0][name] != value for name, value in wanted.items()):
            client.update_usage_limit(usageLimitId=monthly[0]["usageLimitId"], **wanted)
