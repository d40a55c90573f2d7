"""COPY … FROM 's3://…': reads the files, converts their records, and loads them inside the client's own transaction."""

import asyncio
import datetime as dt
import gzip
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.exceptions

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend, Result, literal
from dbt_local_aws.redshift.copy.values import (
    INVALID_JSON,
    Column,
    ConversionError,
    Converter,
    converter,
)
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    UNDEFINED_COLUMN,
    RedshiftError,
)
from dbt_local_aws.redshift.copy.json_records import JsonPath, Record, at_path, parse_path, read_records
from dbt_local_aws.redshift.wire import Message

_CHUNK_BYTES = 1 << 18
_INVALID_BYTE = re.compile("[\udc80-\udcff]")  # as surrogateescape decodes it


@dataclass(frozen=True)
class LoadEnvironment:
    """Where a load reads from, and how it writes down what outlives its transaction."""

    user: str
    database: str
    endpoint_url: str | None
    region: str
    connect: Callable[[], Awaitable[Backend]]


@dataclass
class LoadError:
    """One record that could not be loaded."""

    file: str
    record: Record
    code: int
    message: str
    column: Column | None = None
    position: int = 0
    value: str | None = None


@dataclass
class LoadedFile:
    """One file that was read."""

    url: str
    bytes_scanned: int
    lines_scanned: int


@dataclass
class LoadReport:
    """What came of a load."""

    chunks: list[bytes] = field(default_factory=list)
    rows: int = 0
    files: list[LoadedFile] = field(default_factory=list)
    errors: list[LoadError] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """The table that is loaded, with the columns that are."""

    oid: str
    relation: str
    columns: list[Column]


@dataclass(frozen=True)
class _Run:
    """One load: what was asked for, into what, by whom and when."""

    command: CopyCommand
    target: Target
    environment: LoadEnvironment
    started: dt.datetime


async def load(command: CopyCommand, backend: Backend, environment: LoadEnvironment) -> list[Message]:
    """Runs a COPY; gives the notices to send. Raises where it fails, after the reasons were written down."""
    started = dt.datetime.now(dt.UTC)
    target = await _target(command, backend)
    report = await asyncio.to_thread(_read_files, command, target.columns, environment)
    failed = len(report.errors) >= max(command.max_errors, 1)
    if not failed:
        names = ", ".join(f'"{column.name}"' for column in target.columns)
        await backend.copy_in(f"copy {command.table.sql} ({names}) from stdin", report.chunks)
    query_id = await _write_down(_Run(command, target, environment, started), report, backend, failed=failed)
    if failed:
        raise RedshiftError(
            INTERNAL_ERROR,
            f"Load into table '{target.relation}' failed. Check 'sys_load_error_detail' system table for details.",
        )
    await backend.query(
        f"select set_config('redshift.last_copy_id', '{query_id}', false), "
        f"set_config('redshift.last_copy_count', '{report.rows}', false)"
    )
    said = f"Load into table '{target.relation}' completed, {report.rows} record(s) loaded successfully."
    messages = [said]
    if report.errors:
        messages.append(
            f"Load into table '{target.relation}' completed, {len(report.errors)} record(s) could not be loaded. "
            "Check 'sys_load_error_detail' system table for details."
        )
    return [wire.fields_message(wire.NOTICE, {"S": "INFO", "C": "00000", "M": message}) for message in messages]


async def _target(command: CopyCommand, backend: Backend) -> Target:
    query = f"""
        select
            a.attname, pg_catalog.format_type(a.atttypid, null), a.atttypmod, a.attnotnull, a.attidentity,
            c.relname, c.oid
        from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
        where a.attrelid = {literal(command.table.sql)}::regclass and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    """  # noqa: S608 - the name is a literal
    rows = (await backend.query(query)).rows
    known = {row[0] or "": row for row in rows}
    # an identity column is filled by its table, and takes part in no load that does not name it
    names = command.columns or [name for name, row in known.items() if not row[4]]
    for name in names:
        if name not in known:
            raise RedshiftError(
                UNDEFINED_COLUMN, f'column "{name}" of relation "{command.table.relation}" does not exist'
            )
        if known[name][4]:
            raise RedshiftError(INVALID_PARAMETER_VALUE, f'cannot set an identity column to a value: "{name}"')
    oid, relation = (rows[0][6] or "", rows[0][5] or "") if rows else ("0", command.table.relation)
    return Target(oid, relation, [_column(known[name]) for name in names])


def _column(row: Sequence[str | None]) -> Column:
    name, type_name, modifier = row[0] or "", row[1] or "", int(row[2] or -1) - 4
    is_text = type_name in ("character varying", "character")
    bounded = type_name == "numeric" and modifier > 0
    return Column(
        name=name,
        type=type_name,
        length=modifier if is_text else None,
        precision=modifier >> 16 if bounded else None,
        scale=modifier & 0xFFFF if bounded else None,
        not_null=row[3] == "t",
    )


# Reading --------------------------------------------------------------------------------------------------------------


def _read_files(command: CopyCommand, columns: list[Column], environment: LoadEnvironment) -> LoadReport:
    bucket = _S3(environment)
    reader = _Reader(command, columns, _paths(command, columns, bucket))
    for url in _files(command, bucket):
        reader.read(url, bucket.read(url))
        if reader.has_failed:
            break
    return reader.report


class _Reader:
    """Reads the files of one load, one after the other."""

    def __init__(self, command: CopyCommand, columns: list[Column], paths: list[JsonPath] | None) -> None:
        self._command = command
        self._columns = columns
        self._converters: list[Converter] = [converter(column, command) for column in columns]
        self._paths = paths
        self.report = LoadReport()

    @property
    def has_failed(self) -> bool:
        """Whether there are as many errors as the load may not have."""
        return len(self.report.errors) >= max(self._command.max_errors, 1)

    def read(self, url: str, body: bytes) -> None:
        """Converts the records of a file."""
        rows: list[str] = []
        lines = 0
        for record in read_records(_decode(url, body, self._command)):
            lines = record.line
            error, row = self._convert(url, record)
            if error is None:
                rows.append(row)
            else:
                self.report.errors.append(error)
                if self.has_failed:
                    break
        encoded = "".join(rows).encode()
        self.report.rows += len(rows)
        self.report.chunks += [encoded[at : at + _CHUNK_BYTES] for at in range(0, len(encoded), _CHUNK_BYTES)]
        self.report.files.append(LoadedFile(url, len(body), lines))

    def _convert(self, url: str, record: Record) -> tuple[LoadError | None, str]:
        if record.fault:
            return LoadError(url, record, INVALID_JSON, record.fault), ""
        if self._paths is None and not isinstance(record.value, dict):
            return LoadError(url, record, INVALID_JSON, "Invalid JSON: an object was expected"), ""
        fields = []
        for column, convert, value in zip(self._columns, self._converters, self._values(record.value), strict=True):
            try:
                converted = convert(value)
            except ConversionError as error:
                shown = None if value is None else str(value)
                return LoadError(url, record, error.code, error.message, column, error.position, shown), ""
            fields.append("\\N" if converted is None else converted)
        return None, "\t".join(fields) + "\n"

    def _values(self, value: object) -> list[object]:
        """What is meant for each column."""
        if self._paths is not None:
            return [at_path(value, path) for path in self._paths]
        if not isinstance(value, dict):
            raise TypeError("a record that is not an object")
        if self._command.json == "auto ignorecase":
            value = {key.lower(): item for key, item in value.items()}
        return [value.get(column.name) for column in self._columns]


def _decode(url: str, body: bytes, command: CopyCommand) -> str:
    if command.gzip:
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise RedshiftError(INTERNAL_ERROR, f"The GZIP file {url} cannot be read", detail=str(error)) from error
    text = body.decode("utf-8-sig", "surrogateescape")
    if command.replacement is None or text.isascii():
        return text
    return _INVALID_BYTE.sub(command.replacement.replace("\\", "\\\\"), text)


# S3 -------------------------------------------------------------------------------------------------------------------


class _S3:
    """The S3 of the endpoint URL, and no other: without one, nothing is read."""

    def __init__(self, environment: LoadEnvironment) -> None:
        if environment.endpoint_url is None:
            raise RedshiftError(
                INTERNAL_ERROR,
                "the local Redshift endpoint was started without an S3 endpoint",
                hint="Give s3_endpoint_url, or --s3-endpoint-url on the command line.",
            )
        credentials = boto3.Session().get_credentials()
        self._client = boto3.client(
            "s3",
            endpoint_url=environment.endpoint_url,
            region_name=environment.region,
            aws_access_key_id=credentials.access_key if credentials else "local",
            aws_secret_access_key=credentials.secret_key if credentials else "local",
            aws_session_token=credentials.token if credentials else None,
        )

    def read(self, url: str) -> bytes:
        """The bytes of an object."""
        bucket, key = _split(url)
        try:
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except botocore.exceptions.BotoCoreError as error:
            raise RedshiftError(INTERNAL_ERROR, f"S3ServiceException: {error}", detail=f"key: {key}") from error
        except botocore.exceptions.ClientError as error:
            details: Any = error.response.get("Error", {})
            raise RedshiftError(
                INTERNAL_ERROR,
                f"S3ServiceException:{details.get('Message')}",
                detail=f"error: {details.get('Code')}, key: {key}",
            ) from error
        return body

    def exists(self, url: str) -> bool:
        """Whether there is an object."""
        bucket, key = _split(url)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except botocore.exceptions.ClientError:
            return False
        return True

    def list(self, prefix_url: str) -> list[str]:
        """The objects whose names begin like this."""
        bucket, prefix = _split(prefix_url)
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise RedshiftError(INTERNAL_ERROR, f"S3ServiceException: {error}") from error
        return [f"s3://{bucket}/{key}" for key in sorted(found)]


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def _files(command: CopyCommand, bucket: _S3) -> list[str]:
    if not command.manifest:
        files = bucket.list(command.source)
        if not files:
            raise RedshiftError(INTERNAL_ERROR, f"The specified S3 prefix '{_split(command.source)[1]}' does not exist")
        return files
    if not bucket.exists(command.source):
        raise RedshiftError(
            INTERNAL_ERROR, "COPY with MANIFEST parameter requires full path of an S3 object.", detail=command.source
        )
    entries = _json_of(bucket, command.source, "entries", "manifest file")
    files = []
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or not url.startswith("s3://"):
            raise RedshiftError(INTERNAL_ERROR, f"Invalid manifest file {command.source}: an entry has no url")
        if bucket.exists(url):
            files.append(url)
        elif entry.get("mandatory", False):
            raise RedshiftError(
                INTERNAL_ERROR,
                f"Problem reading manifest file - S3ServiceException: the mandatory file {url} does not exist",
            )
    return files


def _paths(command: CopyCommand, columns: list[Column], bucket: _S3) -> list[JsonPath] | None:
    if not command.json.startswith("s3://"):
        return None
    expressions = _json_of(bucket, command.json, "jsonpaths", "JSONPath file")
    paths = []
    for expression in expressions:
        path = parse_path(expression) if isinstance(expression, str) else None
        if path is None:
            raise RedshiftError(INTERNAL_ERROR, f"Invalid JSONPath format: {expression}")
        paths.append(path)
    if len(paths) != len(columns):
        raise RedshiftError(
            INTERNAL_ERROR,
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(paths)}, Number of columns in table or column list: {len(columns)}",
        )
    return paths


def _json_of(bucket: _S3, url: str, key: str, what: str) -> list[Any]:
    try:
        document = json.loads(bucket.read(url))
    except ValueError as error:
        raise RedshiftError(INTERNAL_ERROR, f"Invalid {what} {url}", detail=str(error)) from error
    items = document.get(key) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise RedshiftError(INTERNAL_ERROR, f'Invalid {what} {url}: there is no list "{key}"')
    return items


# What is written down -------------------------------------------------------------------------------------------------


async def _write_down(run: _Run, report: LoadReport, backend: Backend, *, failed: bool) -> int:
    """Writes the load into the system tables on a connection of its own, so that a rollback leaves it there."""
    (session,) = (await backend.query("select pg_backend_pid(), pg_current_xact_id()::text")).rows
    books = await run.environment.connect()
    try:
        (row,) = (await books.query("select nextval('redshift_internal.query_id')")).rows
        query_id = int(row[0] or 0)
        ended = _timestamp(dt.datetime.now(dt.UTC))
        load_row: tuple[_Value, ...] = (
            query_id,
            _Sql(f"{literal(run.environment.user)}::regrole::oid"),
            int(session[1] or 0),
            int(session[0] or 0),
            run.environment.database,
            "aborted" if failed else "completed",
            int(run.target.oid),
            run.target.relation,
            run.command.source,
            "JSON",
            _timestamp(run.started),
            ended,
            0 if failed else report.rows,
            sum(file.bytes_scanned for file in report.files),
            len(report.files),
            len(report.errors),
            run.command.text,
        )
        files = [(query_id, file.url, file.bytes_scanned, file.lines_scanned, ended) for file in report.files]
        await _insert(books, "load", [load_row])
        await _insert(books, "load_file", files)
        await _insert(books, "load_error", [_error_row(query_id, error) for error in report.errors])
    finally:
        await books.close()
    return query_id


def _timestamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


class _Sql(str):
    """An expression rather than a value."""

    __slots__ = ()


_Value = str | int | None


def _error_row(query_id: int, error: LoadError) -> tuple[_Value, ...]:
    column = error.column
    return (
        query_id,
        error.file,
        error.record.line,
        column.name if column else None,
        column.type.split(" ")[0][:10] if column else None,
        column.length_text[:10] if column else None,
        error.position,
        _printable(error.record.text[:1024]),
        _printable(error.value[:1024]) if error.value is not None else None,
        error.code,
        error.message,
    )


def _printable(text: str) -> str:
    """A text that PostgreSQL can keep, whatever was wrong with it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def _insert(backend: Backend, table: str, rows: Sequence[Sequence[_Value]]) -> Result | None:
    if not rows:
        return None
    values = ", ".join(f"({', '.join(map(_render, row))})" for row in rows)
    return await backend.query(f"insert into redshift_internal.{table} values {values}")  # noqa: S608 - literals


def _render(value: _Value) -> str:
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, _Sql) else literal(value)
