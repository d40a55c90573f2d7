"""DynamoDB: a table for each question, whose partition key is what the question gives.

A partition key is one attribute. Where the question gives several columns, it is their values with # between them, in
an attribute that is called like them: `user_id#session_id` is `10#182`. Each column is an attribute of its own as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, WaiterError

from lakehouse.serving.store import batches, until_taken
from lakehouse.serving.tables import Column, Row, ServedTable, ServingError, Value
from lakehouse.storage.s3_session import HOW_TO_GIVE_CREDENTIALS, session

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_BATCH = 25
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_LONGEST_PARTITION_KEY, _LONGEST_SORT_KEY = 2048, 1024
_JOINED = "#"

Item = dict[str, dict[str, str]]


class DynamoDB:
    """The tables of one account and region, which the AWS credential chain tells."""

    def __init__(self) -> None:
        """Makes the client; nothing is sent yet.

        Raises:
            ServingError: No region is set.
        """
        with _explained("DynamoDB"):
            self._client: Any = session().client("dynamodb")

    @property
    def where(self) -> str:
        """Service and region."""
        return f"DynamoDB in {self._client.meta.region_name}"

    def make(self, tables: Sequence[ServedTable]) -> list[str]:
        """Makes the tables that are missing, on demand billing, and waits until all can be used."""
        made = []
        for table in tables:
            with _explained(table.full_name):
                found = self._description(table)
                if found is None:
                    self._client.create_table(BillingMode="PAY_PER_REQUEST", **_design(table))
                    made.append(table.full_name)
                elif (found["KeySchema"], _sorted(found["AttributeDefinitions"])) != _keys(table):
                    raise ServingError(
                        f"DynamoDB has a table {table.full_name} with other keys than {_key_names(table)}: "
                        "delete it, and export again"
                    )
        for table in tables:
            with _explained(table.full_name):
                self._client.get_waiter("table_exists").wait(
                    TableName=table.full_name, WaiterConfig={"Delay": 2, "MaxAttempts": 60}
                )
        return made

    def cannot_hold(self, table: ServedTable, row: Row) -> str | None:
        """Whether a key is empty or too long."""
        names = _key_names(table)
        longest = dict(zip(names, (_LONGEST_PARTITION_KEY, _LONGEST_SORT_KEY), strict=False))
        for name, value in _key(table, table.key(row)).items():
            text = value.get("S")
            if text == "":
                return f"{name} is empty"
            if text is not None and len(text.encode()) > longest[name]:
                return f"{name} has more than {longest[name]:,} bytes"
        return None

    def rows(self, table: ServedTable) -> Iterator[Row]:
        """Reads the table with strong consistency: a row that was just written is seen."""
        with _explained(table.full_name):
            for page in self._client.get_paginator("scan").paginate(TableName=table.full_name, ConsistentRead=True):
                for item in page["Items"]:
                    yield tuple(_from_attribute(column, item.get(column.name)) for column in table.columns_key_first)

    def write(self, table: ServedTable, rows: Sequence[Row]) -> None:
        """Puts items."""
        self._send(table, [{"PutRequest": {"Item": _item(table, row)}} for row in rows])

    def delete(self, table: ServedTable, keys: Sequence[Row]) -> None:
        """Deletes items."""
        self._send(table, [{"DeleteRequest": {"Key": _key(table, key)}} for key in keys])

    def close(self) -> None:
        """Closes the client's connections."""
        self._client.close()

    def _send(self, table: ServedTable, requests: Sequence[Mapping[str, object]]) -> None:
        def send(batch: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
            answer = self._client.batch_write_item(RequestItems={table.full_name: list(batch)})
            unprocessed: Sequence[Mapping[str, object]] = answer["UnprocessedItems"].get(table.full_name, ())
            return unprocessed

        with _explained(table.full_name):
            for batch in batches(requests, _BATCH):
                until_taken(batch, send)

    def _description(self, table: ServedTable) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._client.describe_table(TableName=table.full_name)["Table"]
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return found


def _design(table: ServedTable) -> dict[str, object]:
    schema, attributes = _keys(table)
    return {"TableName": table.full_name, "KeySchema": schema, "AttributeDefinitions": attributes}


def _keys(table: ServedTable) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    names = _key_names(table)
    kinds = {column.name: "S" if column.kind == "text" else "N" for column in table.columns}
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]
    return schema, _sorted([{"AttributeName": name, "AttributeType": kinds.get(name, "S")} for name in names])


def _sorted(attributes: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(attributes, key=lambda attribute: attribute["AttributeName"])


def _key_names(table: ServedTable) -> tuple[str, ...]:
    return (_JOINED.join(table.partition_by), *((table.order_by,) if table.order_by else ()))


def _key(table: ServedTable, key: Row) -> Item:
    """The key's attributes.

    Raises:
        ServingError: The question gives several columns, and one is a text, in which a # may be.
    """
    count = len(table.partition_by)
    attributes = [_attribute(column, value) for column, value in zip(table.key_columns, key, strict=True)]
    if count > 1:
        if any(column.kind == "text" for column in table.key_columns[:count]):
            raise ServingError(f"{table.name}: a partition of several columns can be of numbers only")
        attributes = [{"S": _JOINED.join(str(value) for value in key[:count])}, *attributes[count:]]
    return dict(zip(_key_names(table), attributes, strict=True))


def _item(table: ServedTable, row: Row) -> Item:
    """All attributes; what is null has none."""
    columns = {
        column.name: _attribute(column, value)
        for column, value in zip(table.columns_key_first, row, strict=True)
        if value is not None
    }
    return columns | _key(table, table.key(row))


def _attribute(column: Column, value: Value) -> dict[str, str]:
    if column.kind == "text":
        return {"S": str(value)}
    return {"N": repr(value)}  # the shortest text that is this very number; DynamoDB keeps 38 digits


def _from_attribute(column: Column, attribute: Mapping[str, str] | None) -> Value:
    if attribute is None:
        return None
    return column.value(attribute["S"] if column.kind == "text" else attribute["N"])


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Says in a sentence what DynamoDB or its client refuses.

    Raises:
        ServingError: Something was refused.
    """
    try:
        yield
    except NoCredentialsError as error:
        raise ServingError(f"{what}: no AWS credentials were found. {HOW_TO_GIVE_CREDENTIALS}") from error
    except NoRegionError as error:
        raise ServingError(f"{what}: no AWS region is set: set AWS_REGION and AWS_DEFAULT_REGION") from error
    except ClientError as error:
        told = error.response["Error"]
        raise ServingError(f"{what}: {error.operation_name} was refused: {told['Code']}: {told['Message']}") from error
    except (BotoCoreError, WaiterError) as error:
        raise ServingError(f"{what}: {error}") from error
