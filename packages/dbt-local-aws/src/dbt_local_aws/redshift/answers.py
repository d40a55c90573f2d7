"""PostgreSQL's answers in Redshift's words."""

import re
from dataclasses import replace

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.errors import INTERNAL_ERROR
from dbt_local_aws.redshift.long_names import with_long_names
from dbt_local_aws.redshift.wire import Message

# Texts without a length are VARCHAR on Redshift
_TYPES = {25: 1043}
# What would tell of PostgreSQL's own source, or of a place in a text that the client did not write
_HIDDEN_FIELDS = "PpqWFLRstdn"


def as_redshift(message: Message, process_id: int = 0) -> Message:
    """The same answer as Redshift would give it, of this process."""
    message = with_long_names(message)
    if message.kind == wire.ROW_DESCRIPTION:
        fields = wire.row_fields(message.body)
        return wire.row_description([replace(f, type_oid=_TYPES.get(f.type_oid, f.type_oid)) for f in fields])
    if message.kind in (wire.ERROR, wire.NOTICE):
        return _error(message, process_id)
    if message.kind == wire.COMMAND_COMPLETE and message.body.startswith(b"SELECT "):
        return wire.command_complete("SELECT")
    if message.kind == wire.PARAMETER_STATUS and message.body.startswith(b"server_version\0"):
        return Message(wire.PARAMETER_STATUS, wire.cstring("server_version") + wire.cstring("8.0.2"))
    return message


def _error(message: Message, process_id: int) -> Message:
    fields = wire.message_fields(message.body)
    shown = {name: value for name, value in fields.items() if name not in _HIDDEN_FIELDS}
    column = fields.get("c")
    match fields.get("C"):
        case "23502" if column:
            shown |= {"M": f"Cannot insert a NULL value into column {column}", "D": ""}
        case "21000" if "MERGE" in shown["M"]:
            shown |= {"M": "Found multiple matches to update the same tuple.", "H": ""}
        case "22003" if shown["M"] == "numeric field overflow":
            shown |= {"M": "Numeric data overflow (result precision)"}
        case "428C9":
            shown |= {"M": "cannot set an identity column to a value", "D": "", "H": ""}
        case "57014" if "user request" in shown["M"]:
            shown |= {"M": f"Query ({process_id}) cancelled on user's request"}
        case "40001":
            shown |= {
                "C": INTERNAL_ERROR,
                "M": "could not complete because of conflict with concurrent transaction",
                "H": "",
            }
        case "42704" if match := re.fullmatch(r'role "(.+)" does not exist', shown["M"]):
            shown |= {"M": f'user "{match[1]}" does not exist'}
    return wire.fields_message(message.kind, shown)
