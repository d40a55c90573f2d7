"""Which options of COPY cannot stand together."""

from collections.abc import Set as AbstractSet

from dbt_local_aws.redshift.errors import SYNTAX_ERROR, RedshiftError, not_emulated

# https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html has the list
_WITH_PARQUET = {
    "format", "parquet", "with", "acceptinvchars", "fillrecord", "iam_role", "credentials", "access_key_id",
    "secret_access_key", "session_token", "statupdate", "manifest", "explicit_ids",
    "serializetojson",  # ingest-super.html
}  # fmt: skip
# copy-parameters-data-format.html ("CSV can't be used with …", "QUOTE … can be used only with the CSV parameter") and
# copy-parameters-data-load.html ("You can't specify the IGNOREALLERRORS option if you specify the MAXERROR option")
_NEVER_TOGETHER = (
    ("csv", "removequotes"),
    ("csv", "escape"),
    ("fixedwidth", "delimiter"),
    ("fixedwidth", "escape"),  # copy-parameters-data-conversion.html
    ("maxerror", "ignoreallerrors"),
)
_FORMATS = {"csv", "fixedwidth", "json", "parquet"}
# What stands for lines and fields: no page says what it does beside JSON
_OF_LINES = {"delimiter", "ignoreheader", "ignoreblanklines", "fillrecord", "escape", "removequotes"}


def check(format_name: str, given: AbstractSet[str]) -> None:
    """Raises where two options cannot stand together."""
    if len(_FORMATS & given) > 1:
        raise RedshiftError(SYNTAX_ERROR, "conflicting or redundant options", detail="more than one data format")
    if format_name == "parquet" and (wrong := sorted(given - _WITH_PARQUET)):
        raise RedshiftError(SYNTAX_ERROR, f"{wrong[0].upper()} argument is not supported for PARQUET based COPY")
    for one, other in _NEVER_TOGETHER:
        if one in given and other in given:
            raise RedshiftError(SYNTAX_ERROR, f"{one.upper()} is not compatible with {other.upper()}")
    if {"fixedwidth", "removequotes"} <= given:
        raise not_emulated("COPY … FIXEDWIDTH with REMOVEQUOTES")
    if "serializetojson" in given and format_name != "parquet":
        raise RedshiftError(SYNTAX_ERROR, "SERIALIZETOJSON can be used only with columnar formats")
    if "quote" in given and format_name != "csv":
        raise RedshiftError(SYNTAX_ERROR, "QUOTE can be used only with the CSV parameter")
    if format_name == "json" and (unclear := sorted(given & _OF_LINES)):
        raise not_emulated(f"COPY of JSON with {unclear[0].upper()}")
    if len(given & {"gzip", "bzip2", "zstd"}) > 1:
        raise RedshiftError(SYNTAX_ERROR, "conflicting or redundant options", detail="more than one compression")
