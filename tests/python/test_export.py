"""What is exported to DynamoDB (moto's): what changed and no more, deletions first, and after a kill the rest."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.serving.dynamodb import DynamoDB
from lakehouse.serving.export import Changes, Origin, export
from lakehouse.serving.questions import question
from lakehouse.serving.store import MOST_TRIES, until_taken
from lakehouse.serving.tables import Column, Row, ServedTable, ServingError
from lakehouse.storage.s3_session import session
from real_data import UDACITY
from serving_questions import HERE, PLAYS, ROWS, TITLES, answer, counts, known, part_of, rows_of, tables_of


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDB]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session.cache_clear()
    with mock_aws():
        store = DynamoDB()
        yield store
        store.close()
    session.cache_clear()


def exported(
    store: DynamoDB, rows: Sequence[Row], table: ServedTable = PLAYS, origin: Origin = HERE, *, replace: bool = False
) -> Changes:
    (changes,) = export([table], lambda _: rows, store, origin, ConsoleReporter(), replace=replace)
    return changes


def test_what_changed_is_written_and_no_more(dynamodb: DynamoDB) -> None:
    assert counts(exported(dynamodb, ROWS)) == (3, 0)
    assert sorted(dynamodb.rows(PLAYS)) == sorted(ROWS)  # to the last digit, and null is null
    assert counts(exported(dynamodb, ROWS)) == (0, 0)
    renamed = [(*row[:4], "Sylvia") if row[0] == 10 else row for row in ROWS]
    assert counts(exported(dynamodb, renamed)) == (2, 0)
    assert sorted(dynamodb.rows(PLAYS)) == sorted(renamed)


def test_who_is_gone_is_gone_at_the_next_export(dynamodb: DynamoDB) -> None:
    exported(dynamodb, ROWS)
    assert counts(exported(dynamodb, ROWS[2:])) == (0, 2)
    assert list(dynamodb.rows(PLAYS)) == ROWS[2:]
    assert counts(exported(dynamodb, [])) == (0, 1)
    assert list(dynamodb.rows(PLAYS)) == []


def test_what_a_killed_export_left_is_mended_by_the_next(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every request in turn: whoever is to be forgotten goes before anything is written."""
    many: list[Row] = [(user, 1, item, 1.5, "name") for user in range(4) for item in range(20)]
    exported(dynamodb, many)
    wanted = [(*row[:4], "new") for row in many if row[0] != 0]
    send: Callable[..., Any] = dynamodb._client.batch_write_item
    for killed_at in range(1, 7):
        exported(dynamodb, many)
        sent = 0

        def killed(at: int = killed_at, **request: Any) -> Any:  # noqa: ANN401 - as the client has it
            nonlocal sent
            sent += 1
            if sent == at:
                raise KeyboardInterrupt
            return send(**request)

        monkeypatch.setattr(dynamodb._client, "batch_write_item", killed)
        try:
            exported(dynamodb, wanted)
        except KeyboardInterrupt:
            if any(row[4] == "new" for row in dynamodb.rows(PLAYS)):
                assert all(row[0] != 0 for row in dynamodb.rows(PLAYS))
        monkeypatch.setattr(dynamodb._client, "batch_write_item", send)
        exported(dynamodb, wanted)
        assert sorted(dynamodb.rows(PLAYS)) == sorted(wanted)
    assert sent == 5, "not every request was the last one"


def test_a_question_of_several_columns_is_one_partition_in_order(dynamodb: DynamoDB) -> None:
    exported(dynamodb, [*reversed(ROWS), (10, 1821, 0, 1.0, "Sylvie"), (1, 182, 0, 1.0, "Ann")])
    found = boto3.client("dynamodb").query(
        TableName="sparkify.plays",
        KeyConditionExpression="#question = :asked",
        ExpressionAttributeNames={"#question": "user_id#session_id"},
        ExpressionAttributeValues={":asked": {"S": "10#182"}},
    )
    assert [item["item"]["N"] for item in found["Items"]] == ["0", "1"]


def test_tables_are_made_on_demand_and_kept(dynamodb: DynamoDB) -> None:
    assert dynamodb.make([PLAYS, TITLES]) == ["sparkify.plays", "sparkify.titles"]
    assert dynamodb.make([PLAYS, TITLES]) == []
    made = boto3.client("dynamodb").describe_table(TableName="sparkify.titles")["Table"]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    other = ServedTable("sparkify", "plays", TITLES.columns, ("title",), "user_id")
    with pytest.raises(ServingError, match=r"sparkify\.plays with other keys than \('title', 'user_id'\): delete it"):
        dynamodb.make([other])


def test_another_landing_zones_rows_are_not_deleted_unless_that_is_meant(dynamodb: DynamoDB) -> None:
    """Or the sample's export would delete production's."""
    exported(dynamodb, ROWS)
    other = Origin("another zone", "sample")
    with pytest.raises(ServingError, match=r"holds data set small of another landing zone \(3 rows.*--replace"):
        exported(dynamodb, ROWS[:1], origin=other)
    assert sorted(dynamodb.rows(PLAYS)) == sorted(ROWS)
    exported(dynamodb, ROWS[:1], origin=other, replace=True)
    assert list(dynamodb.rows(PLAYS)) == ROWS[:1]
    with pytest.raises(ServingError, match="data set sample"):
        exported(dynamodb, ROWS)


def test_a_key_that_no_store_can_hold_is_left_out_and_told(
    dynamodb: DynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[Row] = [("", 1), ("x" * 2048, 1), ("ü" * 1025, 1), ("it's # “a” title", 2)]
    assert counts(exported(dynamodb, rows, TITLES)) == (2, 0)
    said = " ".join(capsys.readouterr().out.split())
    assert "sparkify.titles: 1 row left out, since title is empty" in said
    assert "sparkify.titles: 1 row left out, since title has more than 2,048 bytes" in said
    assert counts(exported(dynamodb, rows, TITLES)) == (0, 0)


def test_what_the_store_hands_back_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("lakehouse.serving.store.time.sleep", pauses.append)
    sent: list[int] = []

    def one_at_a_time(items: Sequence[int]) -> Sequence[int]:
        sent.append(items[0])
        return items[1:]

    until_taken(range(40), one_at_a_time)
    assert sent == list(range(40))
    assert len(pauses) == 39
    with pytest.raises(ServingError, match="took none of 40 rows in 10 tries"):
        until_taken(range(40), lambda items: items)
    assert len(pauses) == 39 + MOST_TRIES - 1


def test_unprocessed_items_are_sent_again(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """As DynamoDB answers when a table is asked too much of."""
    monkeypatch.setattr("lakehouse.serving.store.time.sleep", lambda _: None)
    send: Callable[..., Any] = dynamodb._client.batch_write_item
    sizes: list[int] = []

    def half(RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - the API's
        ((table, requests),) = RequestItems.items()
        sizes.append(len(requests))
        taken = requests[: (len(requests) + 1) // 2]
        send(RequestItems={table: taken})
        rest = requests[len(taken) :]
        return {"UnprocessedItems": {table: rest} if rest else {}}

    dynamodb.make([TITLES])
    monkeypatch.setattr(dynamodb._client, "batch_write_item", half)
    rows: list[Row] = [(f"title {number}", 1) for number in range(60)]
    dynamodb.write(TITLES, rows)
    assert sorted(dynamodb.rows(TITLES)) == sorted(rows)
    assert max(sizes) == 25


def test_a_number_that_no_store_has_is_an_error() -> None:
    with pytest.raises(ServingError, match="length_s is nan"):
        Column("length_s", "double").value(float("nan"))


def test_a_question_is_told_as_cql() -> None:
    assert question(TITLES, ("it's",)) == "select * from sparkify.titles where title = 'it''s';"


@pytest.mark.parametrize("dataset", ["sample", *(["udacity"] if UDACITY.is_dir() else [])])
def test_the_questions_of_the_seeds_are_answered_by_one_partition_each(
    dynamodb: DynamoDB, built_project: Callable[[str], DbtProject], dataset: str
) -> None:
    project = built_project(dataset)
    tables = tables_of(project)
    assert [table.name for table in tables] == ["songs_by_session_item", "songs_by_user_session", "users_by_song"]
    asked = {table: known(table, dataset) for table in tables}
    rows = {table: rows_of(project, table) for table in tables}
    export(tables, lambda table: part_of(rows[table], asked[table]), dynamodb, HERE, ConsoleReporter(), replace=False)
    for table in tables:
        partition = asked[table][: len(table.partition_by)]
        name = "#".join(table.partition_by)
        kind = "N" if all(isinstance(value, int) for value in partition) and len(partition) == 1 else "S"
        found = boto3.client("dynamodb").query(
            TableName=table.full_name,
            KeyConditionExpression="#key = :asked",
            ExpressionAttributeNames={"#key": name},
            ExpressionAttributeValues={":asked": {kind: "#".join(map(str, partition))}},
            ConsistentRead=True,
        )["Items"]
        answers = [
            tuple(
                column.value(next(iter(item[column.name].values()))) if column.name in item else None
                for column in table.columns_key_first
            )
            for item in found
        ]
        if table.order_by in table.asked:
            answers = answer(answers, asked[table])
        expected = answer(rows[table], asked[table])
        assert expected
        assert answers == expected
