"""What Glue says about each file format, as Athena writes it there."""

from __future__ import annotations

from dbt_local_aws.athena.errors import AthenaError

_HADOOP = "org.apache.hadoop"
_TEXT = (f"{_HADOOP}.mapred.TextInputFormat", f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_PARQUET = tuple(f"{_HADOOP}.hive.ql.io.parquet.MapredParquet{way}Format" for way in ("Input", "Output"))
_ORC = tuple(f"{_HADOOP}.hive.ql.io.orc.Orc{way}Format" for way in ("Input", "Output"))
_AVRO = tuple(f"{_HADOOP}.hive.ql.io.avro.AvroContainer{way}Format" for way in ("Input", "Output"))
_LAZY_SIMPLE = f"{_HADOOP}.hive.serde2.lazy.LazySimpleSerDe"

_STORED_AS = {
    "": (_LAZY_SIMPLE, _TEXT),
    "textfile": (_LAZY_SIMPLE, _TEXT),
    "jsonfile": ("org.apache.hive.hcatalog.data.JsonSerDe", _TEXT),
    "parquet": (f"{_HADOOP}.hive.ql.io.parquet.serde.ParquetHiveSerDe", _PARQUET),
    "orc": (f"{_HADOOP}.hive.ql.io.orc.OrcSerde", _ORC),
    "avro": (f"{_HADOOP}.hive.serde2.avro.AvroSerDe", _AVRO),
}
# https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
_SERDES = {
    **{serde.lower(): classes for serde, classes in _STORED_AS.values()},
    "org.apache.hadoop.hive.serde2.jsonserde": _TEXT,
    "org.openx.data.jsonserde.jsonserde": _TEXT,
    "org.apache.hadoop.hive.serde2.opencsvserde": _TEXT,
    "org.apache.hadoop.hive.serde2.regexserde": _TEXT,
}
_SERDES_TRINO_HAS_NOT = (
    "com.amazon.ionhiveserde.ionhiveserde",
    "com.amazonaws.glue.serde.grokserde",
    "com.amazon.emr.hive.serde.cloudtrailserde",
    "org.apache.hive.hcatalog.data.cloudtrailserde",
)


def serde_and_classes(serde: str, stored_as: str) -> tuple[str, dict[str, str]]:
    """The SerDe of a new table and the classes that read and write its files.

    Raises:
        AthenaError: Athena has no such SerDe or format, or has it and Trino has not.
    """
    if stored_as not in _STORED_AS:
        raise AthenaError("FAILED", f"SemanticException: Unrecognized file format in STORED AS clause: {stored_as}")
    default, classes = _STORED_AS[stored_as]
    chosen = serde or default
    if chosen.lower() in _SERDES_TRINO_HAS_NOT:
        raise AthenaError(
            "NOT_SUPPORTED", f"The SerDe {chosen} is Athena's own: the local engine, Trino, has not got it"
        )
    if chosen.lower() not in _SERDES:
        raise AthenaError("FAILED", f"SemanticException: Cannot validate serde: {chosen}")
    if not stored_as:
        classes = _SERDES[chosen.lower()]
    return chosen, {"InputFormat": classes[0], "OutputFormat": classes[1]}
