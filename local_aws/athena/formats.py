"""What Glue says about each file format, as Athena writes it there."""

from __future__ import annotations

from typing import Any

from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.readers import HIVE_JSON, LAZY_SIMPLE, OPEN_CSV, OPENX_JSON, PARQUET

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"


def input_and_output(is_parquet: bool) -> dict[str, str]:
    """The classes that read and write the files."""
    if is_parquet:
        return {"InputFormat": _PARQUET_INPUT, "OutputFormat": _PARQUET_OUTPUT}
    return {"InputFormat": _TEXT_INPUT, "OutputFormat": _TEXT_OUTPUT}


def storage_descriptor(name: str, delimiter: str = "\x01") -> dict[str, Any]:
    """The storage descriptor, without columns and location, of a format that CTAS writes."""
    if name == "parquet":
        serde, parameters = PARQUET, {"serialization.format": "1"}
    elif name == "json":
        serde, parameters = HIVE_JSON[0], {"serialization.format": "1"}
    elif name == "textfile":
        serde, parameters = LAZY_SIMPLE, {"field.delim": delimiter, "serialization.format": delimiter}
    else:
        raise NotEmulatedError(f"tables of {name.upper()}")
    return {
        **input_and_output(name == "parquet"),
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
    }


def default_serde(stored_as: str) -> str:
    """The SerDe of `STORED AS name`; without it, tables are text."""
    known = {"": LAZY_SIMPLE, "textfile": LAZY_SIMPLE, "parquet": PARQUET, "jsonfile": HIVE_JSON[0]}
    if stored_as not in known:
        raise NotEmulatedError(f"STORED AS {stored_as.upper()}")
    return known[stored_as]


# https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html: those that this endpoint does not read
_OTHER_SERDES = frozenset(
    name.lower()
    for name in (
        "com.amazon.ionhiveserde.IonHiveSerDe",
        "com.amazonaws.glue.serde.GrokSerDe",
        "com.amazon.emr.hive.serde.CloudTrailSerde",
        "org.apache.hive.hcatalog.data.CloudTrailSerde",
        "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
        "org.apache.hadoop.hive.serde2.RegexSerDe",
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
    )
)
_READ_SERDES = frozenset(name.lower() for name in (*HIVE_JSON, LAZY_SIMPLE, OPEN_CSV, OPENX_JSON, PARQUET))


def check_serde(name: str) -> None:
    """Refuse a SerDe that Athena has not, or that is not emulated."""
    if name.lower() in _OTHER_SERDES:
        raise NotEmulatedError(f"the SerDe {name}")
    if name.lower() not in _READ_SERDES:
        raise AthenaError("FAILED", f"SemanticException: Cannot validate serde: {name}")
