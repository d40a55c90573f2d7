"""Athena's API: https://docs.aws.amazon.com/athena/latest/APIReference/. What is not here is refused by name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.engine import statement_type
from local_aws.athena.errors import InvalidRequestError
from local_aws.athena.executions import FINISHED, Execution, Executions, new_id
from local_aws.athena.queries import CATALOG
from local_aws.athena.results import result_set

_MAX_RESULTS = 1000
_MAX_QUERY_BYTES = 262_144
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
# A client that asks for a query's state right after starting it gets the answer as soon as there is one: clients pause
# between two questions for longer than most queries take here.
_PATIENCE_SECONDS = 10

Request = dict[str, Any]
Response = dict[str, Any]


@dataclass
class WorkGroup:
    """A work group's settings."""

    name: str
    region: str
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
            "EngineVersion": _ENGINE,
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


def _page(items: Sequence[Any], request: Request, most: int) -> tuple[list[Any], str | None]:
    token, size = request.get("NextToken"), int(request.get("MaxResults") or most)
    if not 1 <= size <= most:
        raise InvalidRequestError(f"MaxResults is more than maximum allowed length {most}")
    if token is not None and not str(token).isdigit():
        raise InvalidRequestError("Invalid NextToken")
    at = int(token or 0)
    return list(items[at : at + size]), str(at + size) if at + size < len(items) else None


def _with_token(response: Response, token: str | None) -> Response:
    return {**response, "NextToken": token} if token else response


class AthenaApi:
    """The operations, by their names in the API."""

    def __init__(self, executions: Executions, catalog_of: Callable[[str], Catalog]) -> None:
        self._executions = executions
        self._catalog_of = catalog_of
        self._lock = threading.Lock()
        self._work_groups: dict[tuple[str, str], WorkGroup] = {}
        self._operations: dict[str, Callable[[Request, str], Response]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._batch_get,
            "GetQueryResults": self._results,
            "GetQueryRuntimeStatistics": self._runtime_statistics,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": self._list,
            "GetWorkGroup": lambda request, region: {
                "WorkGroup": self._work_group(request["WorkGroup"], region).describe()
            },
            "ListWorkGroups": self._list_work_groups,
            "CreateWorkGroup": self._create_work_group,
            "UpdateWorkGroup": self._update_work_group,
            "DeleteWorkGroup": self._delete_work_group,
            "ListDataCatalogs": lambda request, region: {
                "DataCatalogsSummary": [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]
            },
            "GetDataCatalog": self._get_data_catalog,
            "ListDatabases": self._list_databases,
            "GetDatabase": self._get_database,
            "ListTableMetadata": self._list_table_metadata,
            "GetTableMetadata": self._get_table_metadata,
        }

    def call(self, operation: str, request: Request, region: str) -> Response:
        """Answer one request."""
        handler = self._operations.get(operation)
        if handler is None:
            raise InvalidRequestError(f"not emulated: the operation {operation}")
        try:
            return handler(request, region)
        except KeyError as error:
            raise InvalidRequestError(f"The parameter {error.args[0]} is missing") from error

    # -------------------- queries

    def _start(self, request: Request, region: str) -> Response:
        sql = request["QueryString"]
        if len(sql.encode()) > _MAX_QUERY_BYTES:
            raise InvalidRequestError(f"Query string exceeds the maximum allowed length of {_MAX_QUERY_BYTES} bytes")
        if request.get("ExecutionParameters"):
            raise InvalidRequestError("not emulated: ExecutionParameters")
        group = self._work_group(request.get("WorkGroup") or "primary", region)
        if group.state != "ENABLED":
            raise InvalidRequestError(f"WorkGroup {group.name} is disabled")
        context = request.get("QueryExecutionContext") or {}
        catalog = context.get("Catalog") or CATALOG
        if catalog.lower() != CATALOG:
            raise InvalidRequestError(f"Data catalog {catalog} does not exist")
        execution = Execution(
            id=new_id(),
            sql=sql,
            schema=context.get("Database") or "default",
            catalog=catalog,
            work_group=group.name,
            region=region,
            output_folder=self._output_folder(request, group),
            output_is_enforced=group.enforced and bool(group.output_location),
        )
        return {"QueryExecutionId": self._executions.start(execution, request.get("ClientRequestToken"))}

    @staticmethod
    def _output_folder(request: Request, group: WorkGroup) -> str:
        given = (request.get("ResultConfiguration") or {}).get("OutputLocation") or ""
        location = group.output_location if group.enforced and group.output_location else given or group.output_location
        if not location:
            raise InvalidRequestError(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        if not location.startswith("s3://"):
            raise InvalidRequestError(f"outputLocation is not a valid S3 path: {location}")
        return str(location)

    def _get(self, request: Request, region: str) -> Response:
        execution = self._executions.get(request["QueryExecutionId"])
        execution.finished.wait(_PATIENCE_SECONDS)
        return {"QueryExecution": _describe(execution)}

    def _batch_get(self, request: Request, region: str) -> Response:
        found, missing = [], []
        for identifier in request["QueryExecutionIds"]:
            try:
                found.append(_describe(self._executions.get(identifier)))
            except InvalidRequestError as error:
                missing.append(
                    {
                        "QueryExecutionId": identifier,
                        "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
                        "ErrorMessage": str(error),
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _results(self, request: Request, region: str) -> Response:
        execution = self._executions.get(request["QueryExecutionId"])
        if execution.state not in FINISHED:
            raise InvalidRequestError(f"Query has not yet finished. Current state: {execution.state}")
        if execution.result is None:
            raise InvalidRequestError(f"Query did not finish successfully. Final query state: {execution.state}")
        rows, token = _page(execution.result.all_rows(), request, _MAX_RESULTS)
        response: Response = {"ResultSet": result_set(execution.result, rows)}
        if execution.result.update_count is not None:
            response["UpdateCount"] = execution.result.update_count
        return _with_token(response, token)

    def _runtime_statistics(self, request: Request, region: str) -> Response:
        execution = self._executions.get(request["QueryExecutionId"])
        rows = len(execution.result.rows) if execution.result else 0
        scanned = execution.result.bytes_scanned if execution.result else 0
        timeline = {"TotalExecutionTimeInMillis": execution.millis(), "EngineExecutionTimeInMillis": execution.millis()}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": {"InputBytes": scanned, "OutputRows": rows}}}

    def _stop(self, request: Request, region: str) -> Response:
        self._executions.stop(request["QueryExecutionId"])
        return {}

    def _list(self, request: Request, region: str) -> Response:
        group = self._work_group(request.get("WorkGroup") or "primary", region)
        identifiers = [
            execution.id for execution in self._executions.of_work_group(group.name) if execution.region == region
        ]
        page, token = _page(identifiers, request, 50)
        return _with_token({"QueryExecutionIds": page}, token)

    # -------------------- work groups

    def _work_group(self, name: str, region: str) -> WorkGroup:
        with self._lock:
            if name == "primary":
                return self._work_groups.setdefault((region, name), WorkGroup(name, region))
            if (region, name) not in self._work_groups:
                raise InvalidRequestError(f"WorkGroup {name} is not found.")
            return self._work_groups[region, name]

    def _list_work_groups(self, request: Request, region: str) -> Response:
        self._work_group("primary", region)
        with self._lock:
            groups = sorted(
                (group for group in self._work_groups.values() if group.region == region), key=lambda g: g.name
            )
        page, token = _page(groups, request, 50)
        keys = ("Name", "State", "Description", "CreationTime")
        summaries = [{key: value for key, value in group.describe().items() if key in keys} for group in page]
        return _with_token({"WorkGroups": summaries}, token)

    def _create_work_group(self, request: Request, region: str) -> Response:
        name = request["Name"]
        group = WorkGroup(name, region, enforced=True, description=request.get("Description") or "")
        _configure(group, request.get("Configuration") or {})
        with self._lock:
            if (region, name) in self._work_groups or name == "primary":
                raise InvalidRequestError(f"WorkGroup {name} is already created")
            self._work_groups[region, name] = group
        return {}

    def _update_work_group(self, request: Request, region: str) -> Response:
        group = self._work_group(request["WorkGroup"], region)
        with self._lock:
            group.description = request.get("Description", group.description)
            group.state = request.get("State", group.state)
            _configure(group, request.get("ConfigurationUpdates") or {}, "ResultConfigurationUpdates")
        return {}

    def _delete_work_group(self, request: Request, region: str) -> Response:
        group = self._work_group(request["WorkGroup"], region)
        if group.name == "primary":
            raise InvalidRequestError("The primary workgroup can not be deleted")
        with self._lock:
            del self._work_groups[region, group.name]
        return {}

    # -------------------- catalogue

    def _get_data_catalog(self, request: Request, region: str) -> Response:
        if request["Name"].lower() != CATALOG:
            raise InvalidRequestError(f"Data catalog {request['Name']} does not exist")
        return {"DataCatalog": {"Name": "AwsDataCatalog", "Type": "GLUE", "Parameters": {"catalog-id": "123456789012"}}}

    def _list_databases(self, request: Request, region: str) -> Response:
        page, token = _page(self._catalog_of(region).databases(), request, 50)
        return _with_token({"DatabaseList": [{"Name": name} for name in page]}, token)

    def _get_database(self, request: Request, region: str) -> Response:
        if not self._catalog_of(region).has_database(request["DatabaseName"]):
            raise InvalidRequestError(f"Database {request['DatabaseName']} not found")
        return {"Database": {"Name": request["DatabaseName"]}}

    def _list_table_metadata(self, request: Request, region: str) -> Response:
        tables = self._catalog_of(region).tables(request["DatabaseName"])
        page, token = _page(tables, request, 50)
        return _with_token({"TableMetadataList": [_table_metadata(table) for table in page]}, token)

    def _get_table_metadata(self, request: Request, region: str) -> Response:
        table = self._catalog_of(region).table(request["DatabaseName"], request["TableName"])
        if table is None:
            raise InvalidRequestError(f"Table {request['TableName']} not found")
        return {"TableMetadata": _table_metadata(table)}


def _configure(group: WorkGroup, settings: Request, results: str = "ResultConfiguration") -> None:
    group.enforced = bool(settings.get("EnforceWorkGroupConfiguration", group.enforced))
    group.output_location = (settings.get(results) or {}).get("OutputLocation", group.output_location)
    group.bytes_cutoff = settings.get("BytesScannedCutoffPerQuery", group.bytes_cutoff)


def _describe(execution: Execution) -> Response:
    status: Response = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.completed:
        status["CompletionDateTime"] = execution.completed
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.error:
        status["AthenaError"] = execution.error
    result = execution.result
    described: Response = {
        "QueryExecutionId": execution.id,
        "Query": execution.sql,
        "StatementType": result.statement_type if result else statement_type(execution.sql),
        "ResultConfiguration": {"OutputLocation": execution.output_location or execution.output_folder},
        "QueryExecutionContext": {"Database": execution.schema, "Catalog": execution.catalog},
        "Status": status,
        "Statistics": {
            "EngineExecutionTimeInMillis": execution.millis(),
            "TotalExecutionTimeInMillis": execution.millis(),
            "DataScannedInBytes": result.bytes_scanned if result else 0,
            "QueryQueueTimeInMillis": round(((execution.started or time.time()) - execution.submitted) * 1000),
        },
        "WorkGroup": execution.work_group,
        "EngineVersion": _ENGINE,
    }
    if result and result.subtype:
        described["SubstatementType"] = result.subtype
    return described


def _table_metadata(table: Table) -> Response:
    return {
        "Name": table.name,
        "TableType": table.raw.get("TableType", ""),
        "Columns": [{"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.columns],
        "PartitionKeys": [{"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.partition_keys],
        "Parameters": table.parameters,
    }
