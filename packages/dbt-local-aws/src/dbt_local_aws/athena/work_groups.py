"""Work groups: where results must lie, and how much a query may read.

https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings.html
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.athena.errors import InvalidRequestError
from dbt_local_aws.athena.paging import Request, Response, page, with_token

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@dataclass
class WorkGroup:
    """A work group's settings."""

    name: str
    output_location: str = ""
    enforced: bool = False
    description: str = ""
    state: str = "ENABLED"
    bytes_cutoff: int | None = None
    created: float = field(default_factory=time.time)

    def describe(self) -> Response:
        """As GetWorkGroup gives it."""
        configuration: Response = {
            "ResultConfiguration": {"OutputLocation": self.output_location} if self.output_location else {},
            "EnforceWorkGroupConfiguration": self.enforced,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
            "EngineVersion": ENGINE,
        }
        if self.bytes_cutoff is not None:
            configuration["BytesScannedCutoffPerQuery"] = self.bytes_cutoff
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "CreationTime": self.created,
            "Configuration": configuration,
        }


class WorkGroups:
    """All work groups, and the operations that are theirs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups = {"primary": WorkGroup("primary")}

    def named(self, name: str) -> WorkGroup:
        """A work group that has to exist."""
        with self._lock:
            if name not in self._groups:
                raise InvalidRequestError(f"WorkGroup {name} is not found.")
            return self._groups[name]

    def describe(self, request: Request) -> Response:
        """GetWorkGroup."""
        return {"WorkGroup": self.named(request["WorkGroup"]).describe()}

    def list(self, request: Request) -> Response:
        """ListWorkGroups."""
        with self._lock:
            groups = sorted(self._groups.values(), key=lambda group: group.name)
        found, token = page(groups, request, 50)
        keys = ("Name", "State", "Description", "CreationTime")
        summaries = [{key: value for key, value in group.describe().items() if key in keys} for group in found]
        return with_token({"WorkGroups": summaries}, token)

    def create(self, request: Request) -> Response:
        """CreateWorkGroup."""
        name = request["Name"]
        group = WorkGroup(name, enforced=True, description=request.get("Description") or "")
        configure(group, request.get("Configuration") or {})
        with self._lock:
            if name in self._groups:
                raise InvalidRequestError(f"WorkGroup {name} is already created")
            self._groups[name] = group
        return {}

    def update(self, request: Request) -> Response:
        """UpdateWorkGroup."""
        group = self.named(request["WorkGroup"])
        with self._lock:
            group.description = request.get("Description", group.description)
            group.state = request.get("State", group.state)
            configure(group, request.get("ConfigurationUpdates") or {}, "ResultConfigurationUpdates")
        return {}

    def delete(self, request: Request) -> Response:
        """DeleteWorkGroup."""
        group = self.named(request["WorkGroup"])
        if group.name == "primary":
            raise InvalidRequestError("The primary workgroup can not be deleted")
        with self._lock:
            del self._groups[group.name]
        return {}


def configure(group: WorkGroup, settings: dict[str, Any], results: str = "ResultConfiguration") -> None:
    """Take in the settings that a request names."""
    group.enforced = bool(settings.get("EnforceWorkGroupConfiguration", group.enforced))
    group.output_location = (settings.get(results) or {}).get("OutputLocation", group.output_location)
    group.bytes_cutoff = settings.get("BytesScannedCutoffPerQuery", group.bytes_cutoff)
