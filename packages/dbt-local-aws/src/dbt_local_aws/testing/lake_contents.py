"""All that lies below a bucket, read with PyArrow and PyIceberg: what a person could be found in, wherever it hides."""

import gzip
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow.orc
import pyarrow.parquet
from pyiceberg.avro.file import AvroFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def everything_below(
    s3: "S3Client", bucket: str, settings: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Every object's key, with all that is in it as text.

    Data files have their rows and the bounds of their columns; Iceberg's manifests, which are compressed, theirs;
    everything else is taken as it lies there, gzip opened.

    Args:
        s3: A client of the endpoint.
        bucket: The bucket.
        settings: The endpoint's environment.
        prefix: Where in the bucket.
    """
    files = PyArrowFileIO(
        {
            "s3.endpoint": settings["AWS_ENDPOINT_URL"],
            "s3.region": settings["AWS_REGION"],
            "s3.access-key-id": settings["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": settings["AWS_SECRET_ACCESS_KEY"],
        }
    )
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            if content.startswith(b"Obj\x01"):
                yield item["Key"], _avro(files, f"s3://{bucket}/{item['Key']}")
            else:
                yield item["Key"], _text(content)


def _text(content: bytes) -> str:
    if content[:4] == content[-4:] == b"PAR1":
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
        bounds = [str(group.column(at).statistics) for group in groups for at in range(group.num_columns)]
        return f"{file.read().to_pylist()}\n{bounds}"
    if content.startswith(b"ORC"):
        return str(pyarrow.orc.ORCFile(io.BytesIO(content)).read().to_pylist())
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    return content.decode(errors="backslashreplace")


def _avro(files: PyArrowFileIO, uri: str) -> str:
    file: AvroFile[Record] = AvroFile(files.new_input(uri))
    with file as records:
        return "\n".join(map(repr, records))
