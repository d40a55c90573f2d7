"""Athena's API: https://docs.aws.amazon.com/athena/latest/APIReference/. What is not here is refused by name."""

from __future__ import annotations

import time
from collections.abc import Callable

from dbt_local_aws.athena.catalog import Catalog
from dbt_local_aws.athena.engine import statement_type
from dbt_local_aws.athena.errors import InvalidRequestError
from dbt_local_aws.athena.executions import FINISHED, Execution, Executions, new_id
from dbt_local_aws.athena.glue_table import Table
from dbt_local_aws.athena.names import CATALOG
from dbt_local_aws.athena.paging import Request, Response, page, window, with_token
from dbt_local_aws.athena.reading import without_leading_comments
from dbt_local_aws.athena.work_groups import ENGINE, WorkGroup, WorkGroups

_MAX_RESULTS = 1000
_MAX_QUERY_BYTES = 262_144


class AthenaApi:
    """The operations, by their names in the API."""

    def __init__(self, executions: Executions, catalog_of: Callable[[], Catalog]) -> None:
        self._executions = executions
        self._catalog_of = catalog_of
        self._groups = WorkGroups()
        self._operations: dict[str, Callable[[Request], Response]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda request: {
                "QueryExecution": _describe(self._executions.get(request["QueryExecutionId"]))
            },
            "BatchGetQueryExecution": self._batch_get,
            "GetQueryResults": self._results,
            "GetQueryRuntimeStatistics": self._runtime_statistics,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": self._list,
            "GetWorkGroup": self._groups.describe,
            "ListWorkGroups": self._groups.list,
            "CreateWorkGroup": self._groups.create,
            "UpdateWorkGroup": self._groups.update,
            "DeleteWorkGroup": self._groups.delete,
            "CreatePreparedStatement": self._create_prepared,
            "UpdatePreparedStatement": self._update_prepared,
            "GetPreparedStatement": self._get_prepared,
            "ListPreparedStatements": self._list_prepared,
            "DeletePreparedStatement": self._delete_prepared,
            "ListDataCatalogs": lambda _: {"DataCatalogsSummary": [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]},
            "GetDataCatalog": self._get_data_catalog,
            "ListDatabases": self._list_databases,
            "GetDatabase": self._get_database,
            "ListTableMetadata": self._list_table_metadata,
            "GetTableMetadata": self._get_table_metadata,
        }

    def call(self, operation: str, request: Request) -> Response:
        """Answer one request; no answer waits for a query."""
        handler = self._operations.get(operation)
        if handler is None:
            raise InvalidRequestError(f"not emulated: the operation {operation}")
        try:
            return handler(request)
        except KeyError as error:
            raise InvalidRequestError(f"The parameter {error.args[0]} is missing") from error

    # -------------------- queries

    def _start(self, request: Request) -> Response:
        sql = request["QueryString"]
        if len(sql.encode()) > _MAX_QUERY_BYTES:
            raise InvalidRequestError(f"Query string exceeds the maximum allowed length of {_MAX_QUERY_BYTES} bytes")
        group = self._groups.named(request.get("WorkGroup") or "primary")
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
            output_folder=self._output_folder(request, group),
            output_is_enforced=group.enforced and bool(group.output_location),
            parameters=tuple(request.get("ExecutionParameters") or ()),
            bytes_cutoff=group.bytes_cutoff,
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

    def _batch_get(self, request: Request) -> Response:
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

    def _results(self, request: Request) -> Response:
        execution = self._executions.get(request["QueryExecutionId"])
        if execution.state not in FINISHED:
            raise InvalidRequestError(f"Query has not yet finished. Current state: {execution.state}")
        if execution.spool is None:
            raise InvalidRequestError(f"Query did not finish successfully. Final query state: {execution.state}")
        at, size, token = window(execution.spool.length, request, _MAX_RESULTS)
        response: Response = {"ResultSet": execution.spool.result_set(at, size)}
        if execution.spool.update_count is not None:
            response["UpdateCount"] = execution.spool.update_count
        return with_token(response, token)

    def _runtime_statistics(self, request: Request) -> Response:
        execution = self._executions.get(request["QueryExecutionId"])
        statistics = execution.statistics()
        output = execution.spool.length - execution.spool.has_header if execution.spool else 0
        rows = {"InputRows": statistics.rows_scanned, "InputBytes": statistics.bytes_scanned, "OutputRows": output}
        return {"QueryRuntimeStatistics": {"Timeline": _timeline(execution), "Rows": rows}}

    def _stop(self, request: Request) -> Response:
        self._executions.stop(request["QueryExecutionId"])
        return {}

    def _list(self, request: Request) -> Response:
        group = self._groups.named(request.get("WorkGroup") or "primary")
        identifiers = [execution.id for execution in self._executions.of_work_group(group.name)]
        found, token = page(identifiers, request, 50)
        return with_token({"QueryExecutionIds": found}, token)

    # -------------------- prepared statements

    def _prepared(self, request: Request) -> dict[str, str]:
        return self._executions.prepared.setdefault(self._groups.named(request["WorkGroup"]).name, {})

    def _named_statement(self, request: Request) -> str:
        name = request["StatementName"].lower()
        if name not in self._prepared(request):
            raise InvalidRequestError(f"PreparedStatement {request['StatementName']} was not found")
        return str(name)

    def _create_prepared(self, request: Request) -> Response:
        name = request["StatementName"].lower()
        if self._prepared(request).setdefault(name, request["QueryStatement"]) != request["QueryStatement"]:
            raise InvalidRequestError(f"PreparedStatement {request['StatementName']} already exists")
        return {}

    def _update_prepared(self, request: Request) -> Response:
        self._prepared(request)[self._named_statement(request)] = request["QueryStatement"]
        return {}

    def _get_prepared(self, request: Request) -> Response:
        name = self._named_statement(request)
        statement = {"StatementName": name, "QueryStatement": self._prepared(request)[name]}
        return {"PreparedStatement": {**statement, "WorkGroupName": request["WorkGroup"]}}

    def _list_prepared(self, request: Request) -> Response:
        found, token = page(sorted(self._prepared(request)), request, 50)
        return with_token({"PreparedStatements": [{"StatementName": name} for name in found]}, token)

    def _delete_prepared(self, request: Request) -> Response:
        del self._prepared(request)[self._named_statement(request)]
        return {}

    # -------------------- catalogue

    def _get_data_catalog(self, request: Request) -> Response:
        if request["Name"].lower() != CATALOG:
            raise InvalidRequestError(f"Data catalog {request['Name']} does not exist")
        return {"DataCatalog": {"Name": "AwsDataCatalog", "Type": "GLUE", "Parameters": {"catalog-id": "123456789012"}}}

    def _list_databases(self, request: Request) -> Response:
        found, token = page(self._catalog_of().databases(), request, 50)
        return with_token({"DatabaseList": [{"Name": name} for name in found]}, token)

    def _get_database(self, request: Request) -> Response:
        if not self._catalog_of().has_database(request["DatabaseName"]):
            raise InvalidRequestError(f"Database {request['DatabaseName']} not found")
        return {"Database": {"Name": request["DatabaseName"]}}

    def _list_table_metadata(self, request: Request) -> Response:
        tables = self._catalog_of().tables(request["DatabaseName"])
        found, token = page(tables, request, 50)
        return with_token({"TableMetadataList": [_table_metadata(table) for table in found]}, token)

    def _get_table_metadata(self, request: Request) -> Response:
        table = self._catalog_of().table(request["DatabaseName"], request["TableName"])
        if table is None:
            raise InvalidRequestError(f"Table {request['TableName']} not found")
        return {"TableMetadata": _table_metadata(table)}


def _describe(execution: Execution) -> Response:
    status: Response = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.completed:
        status["CompletionDateTime"] = execution.completed
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.error:
        status["AthenaError"] = execution.error
    described: Response = {
        "QueryExecutionId": execution.id,
        "Query": execution.sql,
        "StatementType": execution.statement_type or statement_type(without_leading_comments(execution.sql)),
        "ResultConfiguration": {"OutputLocation": execution.output_location or execution.output_folder},
        "QueryExecutionContext": {"Database": execution.schema, "Catalog": execution.catalog},
        "Status": status,
        "Statistics": {**_timeline(execution), "DataScannedInBytes": execution.statistics().bytes_scanned},
        "WorkGroup": execution.work_group,
        "EngineVersion": ENGINE,
    }
    if execution.subtype:
        described["SubstatementType"] = execution.subtype
    if execution.parameters:
        described["ExecutionParameters"] = list(execution.parameters)
    return described


def _timeline(execution: Execution) -> Response:
    """Times in milliseconds: in the endpoint's queue and in Trino's, in the engine, and in all."""
    waited = ((execution.started or execution.completed or time.time()) - execution.submitted) * 1000
    statistics = execution.statistics()
    return {
        "QueryQueueTimeInMillis": round(waited) + statistics.queued_millis,
        "EngineExecutionTimeInMillis": min(statistics.elapsed_millis, execution.millis()),
        "TotalExecutionTimeInMillis": round(waited) + execution.millis(),
    }


def _table_metadata(table: Table) -> Response:
    return {
        "Name": table.name,
        "TableType": table.raw.get("TableType", ""),
        "Columns": [{"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.columns],
        "PartitionKeys": [{"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.partition_keys],
        "Parameters": table.parameters,
    }
