"""What is asked of the endpoint is noted, each kind of request once, if the environment names a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dbt_local_aws.athena.recording import Recorder


def noted(file: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [(line["service"], line["operation"], line["resource"]) for line in lines]


@pytest.mark.parametrize(
    ("request_line", "body", "wanted"),
    [
        ("GET /lake?list-type=2&prefix=a%2Fb%2Fc", b"", ("ListObjectsV2", "lake/a/b")),
        ("GET /lake?versions", b"", ("ListObjectVersions", "lake")),
        ("GET /lake/a/b/c/d.json", b"", ("GetObject", "lake/a/b")),
        ("PUT /lake/a/d?partNumber=1&uploadId=x", b"", ("UploadPart", "lake/a")),
        ("POST /lake/a/d?uploads", b"", ("CreateMultipartUpload", "lake/a")),
        (
            "POST /lake?delete",
            b"<Delete><Object><Key>a/b/c</Key></Object></Delete>",
            ("DeleteObjects", "lake/a/b"),
        ),
        ("PUT /lake?acl", b"", ("CreateBucket", "lake")),
        ("PATCH /lake?odd", b"", ("PATCH odd", "lake")),
    ],
)
def test_s3s_operations_are_told_apart(tmp_path: Path, request_line: str, body: bytes, wanted: tuple[str, str]) -> None:
    recorder = Recorder(str(tmp_path / "requests.jsonl"))
    method, _, url = request_line.partition(" ")
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    for _ in range(2):
        recorder.note("s3", environ, body)
    assert noted(tmp_path / "requests.jsonl") == [("s3", *wanted)]


def test_other_services_name_their_operation(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "requests.jsonl"))
    recorder.note("glue", {"HTTP_X_AMZ_TARGET": "AWSGlue.GetTable"}, b'{"DatabaseName": "stedi", "Name": "x"}')
    recorder.note("athena", {"HTTP_X_AMZ_TARGET": "AmazonAthena.GetWorkGroup"}, b"{}")
    recorder.note("sts", {}, b"Action=GetCallerIdentity&Version=2011-06-15")
    wanted = [("glue", "GetTable", "stedi"), ("athena", "GetWorkGroup", ""), ("sts", "GetCallerIdentity", "")]
    assert noted(tmp_path / "requests.jsonl") == wanted


def test_without_a_file_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBT_LOCAL_AWS_REQUESTS", raising=False)
    monkeypatch.chdir(tmp_path)
    Recorder().note("s3", {}, b"")
    assert list(tmp_path.iterdir()) == []
