"""DuckDB connections that compute as Trino does, and DuckDB's errors under Athena's names."""

from __future__ import annotations

import re
import threading
from typing import Final

import duckdb

from local_aws.athena.errors import AthenaError, NotEmulatedError

# `error()` would be the natural way to fail, but it is volatile, and DuckDB's TRY refuses volatile functions. A cast
# that cannot work carries the message just as well.
_FAILURE_MARK: Final = "athena:"
_DATE: Final = "[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}"
_TIME: Final = r"[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?"
_ISO: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
_UTC: Final = "UTC|Z|[+-]00(:?00)?"

_MACROS: Final = rf"""
create macro trino_fail(message) as cast('{_FAILURE_MARK}' || message as integer);
create macro trino_text_to_integer(x) as
    case when regexp_full_match(x, '[+-]?[0-9]+') then try_cast(x as hugeint) end;
create macro trino_text_to_double(x) as
    case when x is null then null
         when regexp_full_match(trim(x), '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity')
         then cast(x as double)
         else trino_fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to DOUBLE') end;
create macro trino_text_to_boolean(x) as
    case when x is null then null
         when lower(x) in ('true', 't', '1') then true
         when lower(x) in ('false', 'f', '0') then false
         else cast(trino_fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to BOOLEAN') as boolean) end;
create macro trino_no_cast(x, kind) as
    cast(trino_fail('INVALID_CAST_ARGUMENT: Value cannot be cast to ' || kind || ': ' || x) as varchar);
create macro trino_text_to_date(x) as
    case when x is null then null
         when regexp_full_match(trim(x), '{_DATE}') and try_cast(trim(x) as date) is not null then cast(trim(x) as date)
         else cast(trino_no_cast(x, 'date') as date) end;
create macro trino_stamp(x) as try_cast(regexp_extract(trim(x), '^{_DATE}( {_TIME})?') as timestamp);
create macro trino_text_to_timestamp(x) as
    case when x is null then null
         when regexp_full_match(trim(x), '{_DATE}( ({_TIME})?\s*.*)?') and trino_stamp(x) is not null
         then trino_stamp(x)
         else cast(trino_no_cast(x, 'timestamp') as timestamp) end;
create macro trino_not_emulated(message) as error('{_FAILURE_MARK}NOT_EMULATED: not emulated: ' || message);
create macro trino_iso_stamp(x) as try_cast(regexp_extract(x, '^{_ISO}') as timestamp);
create macro trino_text_to_zoned(x) as
    case when x is null then null
         when regexp_full_match(trim(x), '{_DATE}( ({_TIME})?\s*.*)?') and trino_stamp(x) is not null
         then case when regexp_full_match(trim(x), '{_DATE}( ({_TIME})?\s*({_UTC})?)?')
                   then timezone('UTC', trino_stamp(x))
                   else cast(trino_not_emulated('a zone off UTC in ' || x) as timestamptz) end
         else timezone('UTC', cast(trino_no_cast(x, 'timestamp with time zone') as timestamp)) end;
create macro trino_iso8601_to_zoned(x) as
    case when x is null then null
         when regexp_full_match(x, '{_ISO}({_UTC})?') and trino_iso_stamp(x) is not null
         then timezone('UTC', trino_iso_stamp(x))
         when regexp_full_match(x, '[0-9]{{4}}[-0-9W]*(T.*)?')
         then cast(trino_not_emulated('the ISO 8601 text ' || x) as timestamptz)
         else timezone('UTC', cast(cast(
             trino_fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') as varchar) as timestamp)) end;
create macro trino_date_parse(x, format) as
    case when x is null then null when try_strptime(x, format) is not null then try_strptime(x, format)
         else cast(cast(trino_fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') as varchar) as timestamp)
         end;
create macro trino_decimal_to_text(x) as regexp_replace(cast(x as varchar), '^(-?)\.', '\10.');
create macro trino_unscaled(x) as cast(replace(cast(x as varchar), '.', '') as hugeint);
create macro trino_divide_unscaled(a, b) as
    case when b = 0 then trino_fail('DIVISION_BY_ZERO: Division by zero')
         else (case when (a < 0) = (b < 0) then 1 else -1 end) * ((abs(a) * 2 + abs(b)) // (abs(b) * 2)) end;
create macro trino_digits(mantissa) as ltrim(replace(mantissa, '.', ''), '0');
create macro trino_scientific(mantissa, exponent) as
    trino_digits(mantissa)[1] || '.' || coalesce(nullif(rtrim(trino_digits(mantissa)[2:], '0'), ''), '0') || 'E'
    || (exponent + strpos(mantissa || '.', '.') - 1
        - (length(replace(mantissa, '.', '')) - length(trino_digits(mantissa))) - 1);
create macro trino_double_to_text(x) as
    case when x is null then null
         when isnan(x) then 'NaN'
         when isinf(x) then case when x > 0 then 'Infinity' else '-Infinity' end
         when x = 0 then case when signbit(x) then '-0.0E0' else '0.0E0' end
         else case when x < 0 then '-' else '' end || trino_scientific(
             split_part(cast(abs(x) as varchar), 'e', 1),
             coalesce(try_cast(nullif(split_part(cast(abs(x) as varchar), 'e', 2), '') as integer), 0)) end;
create macro trino_substr(x, start) as
    case when start = 0 or abs(start) > length(x) then '' else substr(x, cast(start as bigint)) end;
create macro trino_substr_of(x, start, size) as
    case when start = 0 or abs(start) > length(x) or size <= 0 then ''
         else substr(x, cast(start as bigint), cast(size as bigint)) end;
create macro trino_bad_argument(message) as
    cast(trino_fail('INVALID_FUNCTION_ARGUMENT: ' || message) as varchar);
create macro trino_split_part(x, delimiter, number) as
    case when number <= 0 then trino_bad_argument('Index must be greater than zero')
         when number > len(string_split(x, delimiter)) then null
         else split_part(x, delimiter, cast(number as bigint)) end;
create macro trino_split(x, delimiter) as
    case when delimiter = '' then [trino_bad_argument('The delimiter may not be the empty string')]
         else string_split(x, delimiter) end;
create macro trino_replace(x, search, replacement) as
    case when search <> '' then replace(x, search, replacement)
         when x = '' then replacement
         else replacement || array_to_string(list_transform(string_split(x, ''), lambda c: c || replacement), '') end;
create macro trino_lpad(x, size, padding) as
    case when size < 0 then trino_bad_argument('Target length must be in the range [0..2147483647]')
         when padding = '' then trino_bad_argument('Padding string must not be empty')
         else lpad(x, cast(size as integer), padding) end;
create macro trino_rpad(x, size, padding) as
    case when size < 0 then trino_bad_argument('Target length must be in the range [0..2147483647]')
         when padding = '' then trino_bad_argument('Padding string must not be empty')
         else rpad(x, cast(size as integer), padding) end;
create macro trino_log(x, positive) as
    case when x is null or isnan(x) then x when x < 0 then cast('NaN' as double)
         when x = 0 then cast('-Infinity' as double) else positive end;
create macro trino_cbrt(x) as
    -- One step of Newton's: DuckDB's own is off in the last digit.
    case when x = 0 or not isfinite(x) then x
         else cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / (3 * cbrt(x) * cbrt(x)) end;
create macro trino_json_or_null(x) as case when json_valid(x) then cast(x as json) end;
create macro trino_json_parse(x) as
    case when x is null then null when json_valid(x) then json(x)
         else cast(trino_bad_argument('Cannot convert value to JSON: ' || x) as json) end;
create macro trino_json_array_length(x) as
    case when json_type(x) = 'ARRAY' then cast(json_array_length(x) as bigint) end;
create macro trino_json_size(x) as
    case when x is null then null when json_type(x) = 'ARRAY' then cast(json_array_length(x) as bigint)
         when json_type(x) = 'OBJECT' then cast(len(json_keys(x)) as bigint) else 0 end;
create macro trino_has_null(items) as len(list_filter(items, lambda x: x is null)) > 0;
create macro trino_distinct(items) as list_filter(items, lambda x, i: list_position(items, x) = i);
create macro trino_contains(items, item) as
    case when items is null or item is null then null
         when list_contains(items, item) then true when trino_has_null(items) then null else false end;
create macro trino_overlap(a, b) as
    case when a is null or b is null then null
         when len(a) = 0 or len(b) = 0 then false
         when list_has_any(list_filter(a, lambda x: x is not null), b) then true
         when trino_has_null(a) or trino_has_null(b) then null else false end;
create macro trino_any(checks) as
    case when checks is null then null when list_contains(checks, true) then true
         when trino_has_null(checks) then null else false end;
create macro trino_all(checks) as
    case when checks is null then null when list_contains(checks, false) then false
         when trino_has_null(checks) then null else true end;
create macro trino_slice(items, start, size) as
    case when start = 0 then [cast(trino_bad_argument('SQL array indices start at 1') as integer)]
         when size < 0 then [cast(trino_bad_argument('length must be greater than or equal to 0') as integer)]
         else [case when start > 0 then start else greatest(len(items) + start + 1, 0) end] end;
create macro trino_steps(start, stop, step) as
    case when start is null or stop is null or step is null then null
         when step = 0 then cast(trino_bad_argument('step must not be zero') as bigint)
         when (step > 0 and stop < start) or (step < 0 and stop > start)
         then cast(trino_bad_argument('sequence stop value should be greater than or equal to start value if step is '
              || 'greater than zero otherwise stop should be less than or equal to start') as bigint)
         when abs((cast(stop as hugeint) - start) // step) >= 10000
         then cast(trino_bad_argument('result of sequence function must not have more than 10000 entries') as bigint)
         else cast((cast(stop as hugeint) - start) // step as bigint) end;
create macro trino_sequence(start, stop, step) as
    list_transform(generate_series(0, trino_steps(start, stop, step)), lambda i: cast(start + i * step as bigint));
create macro trino_whole_days(step) as
    case when epoch_ms(step) % 86400000 = 0 then cast(epoch_ms(step) // 86400000 as bigint)
         else cast(trino_bad_argument('sequence step must be a day interval if start and end values are dates')
              as bigint) end;
create macro trino_months(step) as cast(extract(year from step) * 12 + extract(month from step) as bigint);
create macro trino_date_sequence(start, stop, step) as
    list_transform(trino_sequence(0, date_diff('day', start, stop), step), lambda n: start + cast(n as integer));
create macro trino_time_sequence(start, stop, step) as
    list_transform(trino_sequence(epoch_us(start), epoch_us(stop), epoch_us(step)), lambda n: make_timestamp(n));
create macro trino_month_sequence(start, stop, step) as
    list_transform(
        trino_sequence(0, date_sub('month', start, stop), trino_months(step)),
        lambda n: start + to_months(cast(n as integer)));
create macro trino_regexp_extract(x, pattern, number) as
    case when regexp_matches(x, pattern) then regexp_extract(x, pattern, number) end;
"""

_FAILURE = re.compile(rf"{_FAILURE_MARK}(?P<name>[A-Z_]+): (?P<text>.*)", re.DOTALL)
_CONVERSION = re.compile(r"' to [A-Z]+[0-9]*\Z")


class Sessions:
    """One in-memory database for all statements. It holds the macros; what a statement makes is its own."""

    def __init__(self) -> None:
        self._database = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
        self._database.execute(_MACROS)
        self._lock = threading.Lock()

    def open(self) -> duckdb.DuckDBPyConnection:
        """A connection for one statement."""
        with self._lock:
            connection = self._database.cursor()
        connection.execute("set timezone = 'UTC'; set ieee_floating_point_ops = true")
        return connection

    def close(self) -> None:
        """Forget the database."""
        self._database.close()


def translate(error: duckdb.Error) -> AthenaError:  # noqa: PLR0911 - one for each error
    """The error that Athena gives where DuckDB gave this one."""
    text = str(error)
    if found := _FAILURE.search(text.partition("\n\nLINE ")[0]):
        return AthenaError(found["name"], _CONVERSION.sub("", found["text"]).replace("''", "'"))
    if "must appear in the GROUP BY clause" in text:
        return AthenaError("EXPRESSION_NOT_AGGREGATE", text.splitlines()[0])
    if isinstance(error, duckdb.OutOfRangeException) or "out of range" in text or "Overflow" in text:
        return AthenaError("NUMERIC_VALUE_OUT_OF_RANGE", text.splitlines()[0])
    if isinstance(error, duckdb.ConversionException):
        return AthenaError("INVALID_CAST_ARGUMENT", text.splitlines()[0])
    if "More than one row returned by a subquery" in text:
        return AthenaError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if "Malformed JSON" in text:
        return AthenaError("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - {text.splitlines()[0]}")
    return NotEmulatedError(f"this statement, which the local engine could not run: {text}")
