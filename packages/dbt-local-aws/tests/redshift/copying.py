"""What tests of COPY need: files in S3, the command, and what it says of the lines that it could not load."""

# ruff: noqa: E501 - a query is a line

import hashlib
import json
from collections.abc import Callable

import pytest
from mypy_boto3_s3 import S3Client

from dbt_local_aws.testing.redshift import Connection, rows

FAILED = "Load into table 't' failed. Check 'sys_load_error_detail' system table for details."


Put = Callable[[str, object], str]


@pytest.fixture
def put(s3: S3Client, request: pytest.FixtureRequest) -> Put:
    """Puts an object into a folder of the test's own; gives its URL."""
    folder = f"copy/{hashlib.sha256(request.node.name.encode()).hexdigest()}"

    def put_object(name: str, content: object) -> str:
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = json.dumps(content).encode()
        s3.put_object(Bucket="lake", Key=f"{folder}/{name}", Body=content)
        return f"s3://lake/{folder}/{name}"

    return put_object


def copy(url: str, options: str = "format as json 'auto'", target: str = "t") -> str:
    return f"copy {target} from '{url}' iam_role 'arn:aws:iam::123456789012:role/reader' {options}"


def last_errors(connection: Connection) -> list[list[object]]:
    query = """
        select trim(column_name), trim(column_type), trim(column_length), line_number, position, error_code, trim(error_message)
        from sys_load_error_detail where query_id = (select max(query_id) from sys_load_error_detail) order by line_number
    """
    return rows(connection, query)
