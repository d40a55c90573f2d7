"""A stack of CloudFormation: made, followed while it changes, and deleted, from whatever state it was left in."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lakehouse.deployment.account import Account, DeploymentError, code_of, explained
from lakehouse.deployment.template import Template
from lakehouse.storage.folder import Say

POLL_SECONDS = 5.0
SILENCE_SECONDS = 60.0  # after which it is told what is waited for
TAG = "lakehouse"
DELETIONS = 3  # tries: network interfaces of Redshift outlive it for minutes, and hold their VPC
_NEVER_MADE = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS")
"""A stack of which nothing was ever in use. It can be deleted only."""
_FOLLOWS = ("cancelled", "The following resource(s) failed")
"""What CloudFormation says of a resource that failed because another one did."""


@dataclass(frozen=True)
class Description:
    """What CloudFormation says of a stack.

    Attributes:
        id: Its ARN, by which it can be asked about when it is deleted, too.
        status: As CloudFormation calls it.
        parameters: The values that it was made with.
        outputs: What it gives, by name.
    """

    id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_changing(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass
class Stack:
    """A stack by its name; there may be none yet."""

    account: Account
    name: str
    say: Say
    _told: set[str] = field(default_factory=set)
    _reasons: list[str] = field(default_factory=list)

    def look(self) -> Description | None:
        """The stack as it is now, None where there is none."""
        return self._describe(self.name)

    def settle(self) -> Description | None:
        """Waits until nobody is at work on it: a command that was killed leaves CloudFormation at its work."""
        found = self.look()
        if found is not None and found.is_changing:
            self.say(f"{self.name} is in {found.status}: waiting for its end")
            self._skip_old_events(found.id)
            return self._follow(found.id)
        return found

    def make(self, template: Template, parameters: Mapping[str, str]) -> str:
        """Creates or updates the stack, and says which: `created`, `updated` or `unchanged`.

        Args:
            template: The template.
            parameters: By name; the others keep the values that they have, or their defaults.

        Raises:
            DeploymentError: It failed. CloudFormation takes back what it had begun.
        """
        found = self.settle()
        if found is not None and found.status in _NEVER_MADE:
            self.say(f"{self.name} was never finished ({found.status}): it is deleted, and made anew")
            self.delete()
            found = None
        if found is not None and found.status == "UPDATE_ROLLBACK_FAILED":
            self.say(f"{self.name} is in {found.status}: going on with that first")
            with explained():
                self._client.continue_update_rollback(StackName=found.id)
            found = self.settle()
        if found is None:
            return self._create(template, parameters)
        if found.status == "DELETE_FAILED":
            raise DeploymentError(
                f"{self.name} was being deleted: finish that with `lakehouse aws down`, then come back"
            )
        return self._update(found, template, parameters)

    def delete(self) -> None:
        """Deletes the stack; what its template retains stays.

        Raises:
            DeploymentError: Some of it cannot be deleted.
        """
        for _ in range(DELETIONS):
            found = self.settle()
            if found is None:
                return
            self._skip_old_events(found.id)
            with explained():
                self._client.delete_stack(StackName=found.id)
            ended = self._follow(found.id)
            if ended is None or ended.status == "DELETE_COMPLETE":
                return
        raise DeploymentError(
            f"{self.name} cannot be deleted: {self._why()}. Mend that, and run the same command again"
        )

    def resources(self) -> Iterator[tuple[str, str]]:
        """Type and name of all resources that stacks of this name had, of deleted ones, too.

        CloudFormation remembers a deleted stack for 90 days:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
        """
        with explained():
            stacks = self._client.get_paginator("list_stacks").paginate()
            ids = [
                stack["StackId"]
                for page in stacks
                for stack in page["StackSummaries"]
                if stack["StackName"] == self.name
            ]
            for stack_id in ids:
                for page in self._client.get_paginator("list_stack_resources").paginate(StackName=stack_id):
                    for resource in page["StackResourceSummaries"]:
                        if name := resource.get("PhysicalResourceId"):
                            yield resource["ResourceType"], name

    @property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 makes it at run time
        return self.account.client("cloudformation")

    def _create(self, template: Template, parameters: Mapping[str, str]) -> str:
        with explained():
            created = self._client.create_stack(
                StackName=self.name,
                TemplateBody=template.text,
                Parameters=_as_cloudformation_has_them({**template.defaults, **parameters}),
                Capabilities=["CAPABILITY_IAM"],
                Tags=[{"Key": TAG, "Value": self.name}],
            )
        ended = self._follow(created["StackId"])
        if ended is None or ended.status != "CREATE_COMPLETE":
            raise DeploymentError(f"{self.name} was not made: {self._why()}. Mend that, and run the same command again")
        return "created"

    def _update(self, found: Description, template: Template, parameters: Mapping[str, str]) -> str:
        values: list[dict[str, Any]] = [*_as_cloudformation_has_them(parameters)]
        kept = found.parameters.keys() & template.defaults.keys() - parameters.keys()
        values += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
        self._skip_old_events(found.id)
        with explained():
            try:
                self._client.update_stack(
                    StackName=found.id,
                    TemplateBody=template.text,
                    Parameters=values,
                    Capabilities=["CAPABILITY_IAM"],
                    Tags=[{"Key": TAG, "Value": self.name}],
                )
            except ClientError as error:
                if "No updates are to be performed" in str(error):
                    return "unchanged"
                raise
        ended = self._follow(found.id)
        if ended is None or ended.status != "UPDATE_COMPLETE":
            raise DeploymentError(f"{self.name} is as it was before: {self._why()}. Mend that, and run it again")
        return "updated"

    def _describe(self, name: str) -> Description | None:
        with explained():
            try:
                (found,) = self._client.describe_stacks(StackName=name)["Stacks"]
            except ClientError as error:
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    return None
                raise
        return Description(
            found["StackId"],
            found["StackStatus"],
            {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
            {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        )

    def _follow(self, stack_id: str) -> Description | None:
        """Tells what happens until CloudFormation is done, and gives the stack as it is then."""
        self._reasons.clear()
        at_work: dict[str, None] = {}
        told = time.monotonic()
        while True:
            found = self._describe(stack_id)
            for event in self._new_events(stack_id):
                if self._tell(event, at_work):
                    told = time.monotonic()
            if found is None or not found.is_changing:
                return found
            if time.monotonic() - told > SILENCE_SECONDS:
                self.say(f"  still at work on {', '.join(at_work) or self.name}")
                told = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _tell(self, event: Mapping[str, Any], at_work: dict[str, None]) -> bool:
        """Notes what an event says of a resource, and tells it if that is its end."""
        name, status = event["LogicalResourceId"], event["ResourceStatus"]
        if event["PhysicalResourceId"] == event["StackId"]:
            return False
        if status.endswith("_IN_PROGRESS"):
            at_work[name] = None
            return False
        at_work.pop(name, None)
        reason = event.get("ResourceStatusReason", "")
        if status.endswith("_FAILED") and not any(words in reason for words in _FOLLOWS):
            self._reasons.append(f"{name} ({event['ResourceType']}): {reason}")
        self.say(f"  {status.lower().replace('_', ' '):18} {event['ResourceType']:38} {name}")
        return True

    def _new_events(self, stack_id: str) -> list[Mapping[str, Any]]:
        """The events that were not told yet, oldest first."""
        new: list[Mapping[str, Any]] = []
        with explained():
            for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
                some = [event for event in page["StackEvents"] if event["EventId"] not in self._told]
                new += some
                if len(some) < len(page["StackEvents"]):
                    break  # the rest is older
        self._told.update(event["EventId"] for event in new)
        return new[::-1]

    def _skip_old_events(self, stack_id: str) -> None:
        self._new_events(stack_id)

    def _why(self) -> str:
        """The first reason that CloudFormation gave, and what it means where that is known."""
        first = self._reasons[0] if self._reasons else "CloudFormation gave no reason; its console shows the events"
        if "already exists" in first:
            first += (
                ". The name is in use: choose another --stack, or, if an earlier stack left it, remove it with "
                "`lakehouse aws down`"
            )
        return first


def _as_cloudformation_has_them(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
