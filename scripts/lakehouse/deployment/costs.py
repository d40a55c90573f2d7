"""What a stack will cost, by the list prices in infra/prices.yml; and what it has cost, as Cost Explorer says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from lakehouse.deployment.account import Account, explained, is_denied
from lakehouse.deployment.stack import TAG

PRICES = "infra/prices.yml"
"""The one place with prices, in US dollars."""
HOURS_A_MONTH = 730  # as AWS's own calculator has it
COST_EXPLORER_REGION = "us-east-1"  # it has one endpoint


@dataclass(frozen=True)
class Cost:
    """What something costs while it stands there, used or not.

    Attributes:
        what: It, in words.
        hour: US dollars an hour.
    """

    what: str
    hour: float


def list_prices(project: Path) -> dict[str, float]:
    """The project's list prices in US dollars, by what is paid for; none where it does not have the file."""
    file = project / PRICES
    return _usd(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _usd(told: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(price["usd"]) for name, price in told["prices"].items()}


@dataclass(frozen=True)
class Prices:
    """US dollars by what is paid for, with where they are from."""

    usd: Mapping[str, float]
    origin: str

    @classmethod
    def read(cls, project: Path) -> "Prices":
        """The project's."""
        told: Mapping[str, Any] = yaml.safe_load((project / PRICES).read_text(encoding="utf-8"))
        regions = " and ".join(told["regions"])
        origin = f"{PRICES}: list prices of {regions}, written {told['written']}, checked {told['checked']}"
        return cls(_usd(told), origin)

    def standing(self, parameters: Mapping[str, str]) -> list[Cost]:
        """What is paid for a stack by the hour, by its parameters."""
        warehouse = parameters["Warehouse"]
        secrets = 1 if warehouse == "none" else 2  # Redshift keeps its administrator's password in one of its own
        costs = [
            Cost("a key of KMS", self.usd["kms_key_month"] / HOURS_A_MONTH),
            Cost(f"{secrets} of Secrets Manager's secrets", secrets * self.usd["secret_month"] / HOURS_A_MONTH),
        ]
        if warehouse == "provisioned":
            node = parameters["NodeType"]
            costs.append(Cost(f"Redshift, one {node}", self.usd[f"{node.replace('.', '_')}_hour"]))
        if warehouse != "none" and parameters["OpenTo"]:
            addresses = 3 if warehouse == "serverless" else 1
            costs.append(Cost(f"{addresses} public addresses at most", addresses * self.usd["public_ipv4_hour"]))
        return costs

    def in_use(self, parameters: Mapping[str, str], rpu_hours: int) -> Iterator[str]:
        """What is paid for use, in sentences.

        Args:
            parameters: Of the stack.
            rpu_hours: The limit of a month on Redshift Serverless.
        """
        usd, scan = self.usd, float(parameters["ScanLimitGigabytes"])
        terabyte = usd["athena_terabyte"]
        most = terabyte * scan / 1000
        yield f"Athena: ${terabyte:.2f} a TB scanned; a query stops at {scan:g} GB, which is ${most:.2f}"
        yield f"S3: ${usd['s3_gigabyte_month']:.3f} a GB and month"
        if parameters["Warehouse"] == "serverless":
            hour = usd["redshift_rpu_hour"]
            least, most = (float(parameters[name]) * hour for name in ("BaseCapacity", "MaxCapacity"))
            yield (
                f"Redshift Serverless: ${least:.2f} to ${most:.2f} an hour while queries run, nothing otherwise; "
                f"it stops at {rpu_hours:,} RPU hours a month, which is ${rpu_hours * hour:.2f}"
            )
        if parameters["Warehouse"] != "none":
            yield f"Redshift's storage: ${usd['redshift_storage_gigabyte_month']:.3f} a GB and month"


def table_of(costs: list[Cost]) -> Iterator[str]:
    """The lines of a table: what stands, an hour, a month, and the sum."""
    yield f"{'while it stands there':42}{'an hour':>10}{'a month':>12}"
    for cost in (*costs, Cost("together", sum(cost.hour for cost in costs))):
        yield f"  {cost.what:40}{f'${cost.hour:.4f}':>10}{f'${cost.hour * HOURS_A_MONTH:,.2f}':>12}"


def spent(account: Account, stack: str, today: date) -> Iterator[str]:
    """What the stack has cost this month, by service, in sentences; a request costs a cent.

    Cost Explorer knows a stack by its tag, once that is activated as a cost allocation tag:
    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html

    Raises:
        DeploymentError: It cannot be asked, but for want of the right, which is told.
    """
    with explained():
        try:
            answer = account.client("ce", COST_EXPLORER_REGION).get_cost_and_usage(
                TimePeriod={"Start": today.replace(day=1).isoformat(), "End": (today + timedelta(days=1)).isoformat()},
                Granularity="MONTHLY",
                Metrics=["UnblendedCost"],
                GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
                Filter={"Tags": {"Key": TAG, "Values": [stack]}},
            )
        except ClientError as error:
            if not is_denied(error):
                raise
            yield "not known: the AWS identity in use lacks ce:GetCostAndUsage"
            return
    groups = [group for period in answer["ResultsByTime"] for group in period.get("Groups", ())]
    if not groups:
        yield f"nothing known: Cost Explorer is a day behind, and knows the tag {TAG} once it is activated in Billing"
    for group in groups:
        cost = group["Metrics"]["UnblendedCost"]
        yield f"{group['Keys'][0]}: {float(cost['Amount']):,.2f} {cost['Unit']}"
