-- Functions that Redshift has and PostgreSQL has not, or has otherwise. Source: "SQL functions reference" of the Amazon Redshift
-- Database Developer Guide.

alter function pg_catalog.version() rename to postgres_version;
create function pg_catalog.version() returns text language sql stable as $$
    select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0 (local endpoint)'
$$;

-- Dates and times ---------------------------------------------------------------------------------------------------------------

create function pg_catalog.getdate() returns timestamp language sql stable as $$
    select date_trunc('second', statement_timestamp() at time zone 'UTC')
$$;

create function pg_catalog.sysdate() returns timestamp language sql stable as $$
    select transaction_timestamp() at time zone 'UTC'
$$;

create function redshift_internal.date_part_name(part text) returns text language plpgsql immutable as $$
begin
    return case
        when part in ('millennium', 'millennia', 'mil', 'mils') then 'millennium'
        when part in ('century', 'centuries', 'c', 'cent', 'cents') then 'century'
        when part in ('decade', 'decades', 'dec', 'decs') then 'decade'
        when part in ('epoch') then 'epoch'
        when part in ('year', 'years', 'y', 'yr', 'yrs') then 'year'
        when part in ('quarter', 'quarters', 'qtr', 'qtrs') then 'quarter'
        when part in ('month', 'months', 'mon', 'mons') then 'month'
        when part in ('week', 'weeks', 'w') then 'week'
        when part in ('dayofweek', 'dow', 'dw', 'weekday') then 'dow'
        when part in ('dayofyear', 'doy', 'dy', 'yearday') then 'doy'
        when part in ('day', 'days', 'd') then 'day'
        when part in ('hour', 'hours', 'h', 'hr', 'hrs') then 'hour'
        when part in ('minute', 'minutes', 'm', 'min', 'mins') then 'minute'
        when part in ('second', 'seconds', 's', 'sec', 'secs') then 'second'
        when part in ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec', 'millisecs', 'millisecon')
            then 'milliseconds'
        when part in ('microsecond', 'microseconds', 'microsec', 'microsecs', 'microsecon', 'usec', 'usecs', 'us', 'usecond', 'useconds')
            then 'microseconds'
        when part in ('timezone', 'timezone_hour', 'timezone_minute') then part
    end;
end $$;

create function redshift_internal.known_date_part(part text) returns text language plpgsql immutable as $$
declare
    known text := redshift_internal.date_part_name(lower(part));
begin
    if known is null then
        raise exception using errcode = '22023', message = format('date part "%s" is not supported', part);
    end if;
    return known;
end $$;

alter function pg_catalog.date_part(text, timestamp) rename to postgres_date_part;
alter function pg_catalog.date_part(text, timestamptz) rename to postgres_date_part;
alter function pg_catalog.date_part(text, date) rename to postgres_date_part;
alter function pg_catalog.date_part(text, time) rename to postgres_date_part;
alter function pg_catalog.date_part(text, timetz) rename to postgres_date_part;
alter function pg_catalog.date_part(text, interval) rename to postgres_date_part;

do $$
declare
    type text;
begin
    foreach type in array array['timestamp', 'timestamptz', 'date', 'time', 'timetz', 'interval'] loop
        -- milli- and microseconds are those of the second alone, unlike PostgreSQL's
        execute format($f$
            create function pg_catalog.date_part(part text, value %1$s) returns double precision language sql stable as $b$
                select case redshift_internal.known_date_part(part)
                    when 'milliseconds' then mod(extract('milliseconds' from value)::bigint, 1000)
                    when 'microseconds' then mod(extract('microseconds' from value)::bigint, 1000000)
                    else pg_catalog.postgres_date_part(redshift_internal.known_date_part(part), value)
                end
            $b$;
            create function redshift_internal.extract_part(part text, value %1$s) returns integer language sql stable as $b$
                select floor(pg_catalog.date_part(part, value))::integer
            $b$;
            create function redshift_internal.extract_epoch(value %1$s) returns bigint language sql stable as $b$
                select floor(pg_catalog.postgres_date_part('epoch', value))::bigint
            $b$;
        $f$, type);
    end loop;
end $$;

create function pg_catalog.date_part_year(value date) returns integer language sql immutable as $$
    select redshift_internal.extract_part('year', value)
$$;

create function pg_catalog.date_trunc(part text, value date) returns timestamp language sql immutable as $$
    select date_trunc(part, value::timestamp)
$$;

create function pg_catalog.trunc(value timestamp) returns date language sql immutable as $$ select value::date $$;

create function redshift_internal.interval_of(part text, amount bigint) returns interval language plpgsql immutable strict as $$
begin
    case redshift_internal.known_date_part(part)
        when 'millennium' then return make_interval(years => (1000 * amount)::integer);
        when 'century' then return make_interval(years => (100 * amount)::integer);
        when 'decade' then return make_interval(years => (10 * amount)::integer);
        when 'year' then return make_interval(years => amount::integer);
        when 'quarter' then return make_interval(months => (3 * amount)::integer);
        when 'month' then return make_interval(months => amount::integer);
        when 'week' then return make_interval(weeks => amount::integer);
        when 'day', 'dow', 'doy' then return make_interval(days => amount::integer);
        when 'hour' then return amount * interval '1 hour';
        when 'minute' then return amount * interval '1 minute';
        when 'second', 'epoch' then return amount * interval '1 second';
        when 'milliseconds' then return amount * interval '1 millisecond';
        when 'microseconds' then return amount * interval '1 microsecond';
        else
            raise exception using errcode = '22023', message = format('date part "%s" is not supported by DATEADD', part);
    end case;
end $$;

-- A year after February 29 is March 1; twelve months after it are February 28.
create function redshift_internal.leap_day(part text, amount bigint, value timestamp) returns interval language sql immutable as $$
    select case
        when
            redshift_internal.known_date_part(part) = 'year'
            and to_char(value, 'MM-DD') = '02-29'
            and to_char(value + redshift_internal.interval_of(part, amount), 'DD') = '28'
            then interval '1 day'
        else interval '0'
    end
$$;
create function pg_catalog.dateadd(part text, amount bigint, value timestamp) returns timestamp language sql immutable as $$
    select value + redshift_internal.interval_of(part, amount) + redshift_internal.leap_day(part, amount, value)
$$;
create function pg_catalog.dateadd(part text, amount bigint, value date) returns timestamp language sql immutable as $$
    select value + redshift_internal.interval_of(part, amount) + redshift_internal.leap_day(part, amount, value)
$$;
create function pg_catalog.dateadd(part text, amount bigint, value timestamptz) returns timestamptz language sql stable as $$
    select value + redshift_internal.interval_of(part, amount) + redshift_internal.leap_day(part, amount, value::timestamp)
$$;
create function pg_catalog.dateadd(part text, amount bigint, value time) returns time language sql immutable as $$
    select value + redshift_internal.interval_of(part, amount)
$$;

-- A day that its month has not is counted on into the next one, unless told to be strict.
alter function pg_catalog.to_date(text, text) rename to postgres_to_date;
create function pg_catalog.to_date(value text, format text, is_strict boolean) returns date language plpgsql immutable strict as $$
declare
    place integer := strpos(upper(format), 'DD');
begin
    return pg_catalog.postgres_to_date(value, format);
exception when datetime_field_overflow then
    if is_strict then
        raise;
    end if;
    if upper(format) !~ '^(YYYY|MM|DD|[^A-Z])+$' or place = 0 or substr(value, place, 2) !~ '^(29|30|31)$' then
        raise exception using
            errcode = '0A000', message = format('to_date() of %s, which is out of range, is not emulated by the local Redshift endpoint', value);
    end if;
    return pg_catalog.postgres_to_date(overlay(value placing '01' from place for 2), format) + substr(value, place, 2)::integer - 1;
end $$;
create function pg_catalog.to_date(value text, format text) returns date language sql immutable as $$
    select to_date(value, format, false)
$$;

-- How many boundaries of a part lie between the year 1 and a time: their difference is what DATEDIFF counts.
create function redshift_internal.boundaries(part text, value timestamp) returns bigint language plpgsql immutable strict as $$
declare
    years bigint := extract(year from value);
    microseconds numeric;
begin
    case redshift_internal.known_date_part(part)
        when 'millennium' then return extract(millennium from value);
        when 'century' then return extract(century from value);
        when 'decade' then return extract(decade from value);
        when 'year' then return years;
        when 'quarter' then return years * 4 + extract(quarter from value);
        when 'month' then return years * 12 + extract(month from value);
        -- weeks begin on Sunday here: 1970-01-04 was one
        when 'week' then return floor((value::date - date '1970-01-04') / 7.0);
        when 'day', 'dow', 'doy' then return value::date - date '1970-01-01';
        else microseconds := extract(epoch from value) * 1000000;
    end case;
    case redshift_internal.known_date_part(part)
        when 'hour' then return floor(microseconds / 3600000000);
        when 'minute' then return floor(microseconds / 60000000);
        when 'second', 'epoch' then return floor(microseconds / 1000000);
        when 'milliseconds' then return floor(microseconds / 1000);
        when 'microseconds' then return microseconds;
        else
            raise exception using errcode = '22023', message = format('date part "%s" is not supported by DATEDIFF', part);
    end case;
end $$;

create function pg_catalog.datediff(part text, earlier timestamp, later timestamp) returns bigint language sql immutable as $$
    select redshift_internal.boundaries(part, later) - redshift_internal.boundaries(part, earlier)
$$;
create function pg_catalog.datediff(part text, earlier timestamptz, later timestamptz) returns bigint language sql stable as $$
    select redshift_internal.boundaries(part, later at time zone 'UTC') - redshift_internal.boundaries(part, earlier at time zone 'UTC')
$$;
create function pg_catalog.datediff(part text, earlier time, later time) returns bigint language sql immutable as $$
    select redshift_internal.boundaries(part, date '1970-01-01' + later) - redshift_internal.boundaries(part, date '1970-01-01' + earlier)
$$;

create function pg_catalog.convert_timezone(source text, target text, value timestamp) returns timestamp
language sql immutable as $$ select value at time zone source at time zone target $$;
create function pg_catalog.convert_timezone(target text, value timestamp) returns timestamp
language sql immutable as $$ select value at time zone 'UTC' at time zone target $$;
create function pg_catalog.convert_timezone(target text, value timestamptz) returns timestamp
language sql immutable as $$ select value at time zone target $$;

create function pg_catalog.last_day(value timestamp) returns date language sql immutable as $$
    select (date_trunc('month', value) + interval '1 month - 1 day')::date
$$;

create function pg_catalog.add_months(value timestamp, months bigint) returns timestamp language sql immutable as $$
    -- the last day of a month stays one
    select case
        when value::date = last_day(value)
            then last_day(value + make_interval(months => months::integer)) + (value - date_trunc('day', value))
        else value + make_interval(months => months::integer)
    end
$$;

create function pg_catalog.months_between(later timestamp, earlier timestamp) returns double precision
language sql immutable as $$
    select
        (extract(year from later) - extract(year from earlier)) * 12
        + extract(month from later) - extract(month from earlier)
        + case
            when extract(day from later) = extract(day from earlier) then 0
            when later::date = last_day(later) and earlier::date = last_day(earlier) then 0
            else
                (extract(day from later) - extract(day from earlier)
                + (extract(epoch from later::time) - extract(epoch from earlier::time)) / 86400.0) / 31.0
        end
$$;

create function pg_catalog.next_day(value timestamp, day text) returns date language plpgsql immutable strict as $$
declare
    wanted integer := array_position(array['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa'], lower(left(day, 2))) - 1;
begin
    if wanted is null then
        raise exception using errcode = '22023', message = format('invalid day of the week "%s"', day);
    end if;
    return value::date + (wanted - extract(dow from value)::integer + 6) % 7 + 1;
end $$;

-- Texts -------------------------------------------------------------------------------------------------------------------------

-- SUBSTRING knows places and no patterns, and parts are counted from the left only.
alter function pg_catalog.substring(text, text) rename to postgres_substring;
alter function pg_catalog.substring(text, text, text) rename to postgres_substring;
alter function pg_catalog.split_part(text, text, integer) rename to postgres_split_part;
create function pg_catalog.split_part(value text, delimiter text, part integer) returns text language sql immutable as $$
    select case
        when part > 0 then pg_catalog.postgres_split_part(value, delimiter, part)
        when part is not null then redshift_internal.fail('22023', 'field position must be greater than zero', '', '')::text
    end
$$;

create function pg_catalog.len(value text) returns integer language sql immutable as $$ select length(value) $$;
create function pg_catalog.len(value bpchar) returns integer language sql immutable as $$ select length(value) $$;
create function pg_catalog.charindex(part text, value text) returns integer language sql immutable as $$
    select strpos(value, part)
$$;
create function pg_catalog.replicate(value text, times integer) returns text language sql immutable as $$
    select repeat(value, times)
$$;

-- two arguments, and null if one of them is
alter function pg_catalog.concat(variadic "any") rename to postgres_concat;
create function pg_catalog.concat(first text, second text) returns text language sql immutable as $$ select first || second $$;

create function pg_catalog.sha2(value text, bits integer) returns varchar language sql immutable as $$
    select case bits
        when 224 then encode(sha224(convert_to(value, 'UTF8')), 'hex')
        when 0 then encode(sha256(convert_to(value, 'UTF8')), 'hex')
        when 256 then encode(sha256(convert_to(value, 'UTF8')), 'hex')
        when 384 then encode(sha384(convert_to(value, 'UTF8')), 'hex')
        when 512 then encode(sha512(convert_to(value, 'UTF8')), 'hex')
    end
$$;

create function redshift_internal.rotate_left(word bigint, bits integer) returns bigint language sql immutable as $$
    select ((word << bits) | (word >> (32 - bits))) & 4294967295
$$;

-- SHA-1, which PostgreSQL has in an extension only.
create function pg_catalog.func_sha1(value text) returns varchar language plpgsql immutable strict as $$
declare
    message bytea := convert_to(value, 'UTF8');
    bits bigint := length(message) * 8;
    h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
    w bigint[];
    v bigint[];
    f bigint;
    k bigint;
    next bigint;
    digest text := '';
begin
    message := message || decode('80', 'hex');
    message := message || decode(repeat('00', ((120 - length(message) % 64) % 64)), 'hex') || int8send(bits);
    for block in 0 .. length(message) / 64 - 1 loop
        for t in 0 .. 15 loop
            w[t] := 0;
            for b in 0 .. 3 loop
                w[t] := (w[t] << 8) | get_byte(message, block * 64 + t * 4 + b);
            end loop;
        end loop;
        for t in 16 .. 79 loop
            w[t] := redshift_internal.rotate_left(w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16], 1);
        end loop;
        v := h;
        for t in 0 .. 79 loop
            if t < 20 then
                f := (v[2] & v[3]) | ((v[2] # 4294967295) & v[4]);
                k := 1518500249;
            elsif t < 40 then
                f := v[2] # v[3] # v[4];
                k := 1859775393;
            elsif t < 60 then
                f := (v[2] & v[3]) | (v[2] & v[4]) | (v[3] & v[4]);
                k := 2400959708;
            else
                f := v[2] # v[3] # v[4];
                k := 3395469782;
            end if;
            next := (redshift_internal.rotate_left(v[1], 5) + f + v[5] + k + w[t]) & 4294967295;
            v := array[next, v[1], redshift_internal.rotate_left(v[2], 30), v[3], v[4]];
        end loop;
        for i in 1 .. 5 loop
            h[i] := (h[i] + v[i]) & 4294967295;
        end loop;
    end loop;
    for i in 1 .. 5 loop
        digest := digest || lpad(to_hex(h[i]), 8, '0');
    end loop;
    return digest;
end $$;
create function pg_catalog.sha1(value text) returns varchar language sql immutable as $$ select func_sha1(value) $$;
create function pg_catalog.sha(value text) returns varchar language sql immutable as $$ select func_sha1(value) $$;

create function pg_catalog.strtol(digits text, base integer) returns bigint language plpgsql immutable strict as $$
declare
    alphabet constant text := '0123456789abcdefghijklmnopqrstuvwxyz';
    rest text := lower(trim(digits));
    sign bigint := 1;
    value bigint := 0;
    digit integer;
begin
    if left(rest, 1) in ('-', '+') then
        sign := case left(rest, 1) when '-' then -1 else 1 end;
        rest := substr(rest, 2);
    end if;
    if base = 16 and left(rest, 2) = '0x' then
        rest := substr(rest, 3);
    end if;
    for position in 1 .. length(rest) loop
        digit := strpos(left(alphabet, base), substr(rest, position, 1)) - 1;
        if digit < 0 then
            raise exception using
                errcode = '22P02', message = format('The input %s is not valid to be converted to base %s', digits, base);
        end if;
        value := value * base + digit;
    end loop;
    return sign * value;
end $$;

-- Regular expressions: every match is replaced, $1 is the first group, and no match is an empty text.
alter function pg_catalog.regexp_replace(text, text, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer, integer) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer, integer, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_substr(text, text) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer, text) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer, text, integer) rename to postgres_regexp_substr;

-- The parameters that say how to match, as PostgreSQL has them: its patterns know what PCRE's are mostly used for.
create function redshift_internal.match_flags(parameters text, known text) returns text language plpgsql immutable as $$
begin
    if translate(parameters, known, '') <> '' then
        raise exception using errcode = '22023', message = format('invalid regular expression parameters "%s"', parameters);
    end if;
    return translate(parameters, 'ep', '');
end $$;

create function pg_catalog.regexp_replace(value text, pattern text, replacement text, start integer, parameters text) returns text
language sql immutable as $$
    select pg_catalog.postgres_regexp_replace(
        value,
        pattern,
        pg_catalog.postgres_regexp_replace(
            replace(replacement, chr(92), chr(92) || chr(92)), '[$]([0-9])', chr(92) || chr(92) || chr(92) || '1', 'g'
        ),
        start,
        0,
        redshift_internal.match_flags(parameters, 'cip')
    )
$$;
create function pg_catalog.regexp_replace(value text, pattern text, replacement text, start integer) returns text
language sql immutable as $$ select regexp_replace(value, pattern, replacement, start, 'c') $$;
create function pg_catalog.regexp_replace(value text, pattern text, replacement text) returns text
language sql immutable as $$ select regexp_replace(value, pattern, replacement, 1) $$;
create function pg_catalog.regexp_replace(value text, pattern text) returns text
language sql immutable as $$ select regexp_replace(value, pattern, '', 1) $$;

create function redshift_internal.subexpression(pattern text, parameters text) returns integer language sql immutable as $$
    -- the first one where the parameters ask for it, and where there is one
    select case
        when parameters like '%e%' and pg_catalog.regexp_count(pattern, '(^|[^' || chr(92) || chr(92) || '])[(]([^?]|$)') > 0 then 1
        else 0
    end
$$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer, occurrence integer, parameters text) returns text
language sql immutable as $$
    select case
        when value is null or pattern is null then null
        else coalesce(
            pg_catalog.postgres_regexp_substr(
                value,
                pattern,
                start,
                occurrence,
                redshift_internal.match_flags(parameters, 'ceip'),
                redshift_internal.subexpression(pattern, parameters)
            ),
            ''
        )
    end
$$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer, occurrence integer) returns text
language sql immutable as $$ select regexp_substr(value, pattern, start, occurrence, 'c') $$;
create function pg_catalog.regexp_substr(value text, pattern text) returns text
language sql immutable as $$ select regexp_substr(value, pattern, 1, 1) $$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer) returns text
language sql immutable as $$ select regexp_substr(value, pattern, start, 1) $$;

alter function pg_catalog.regexp_count(text, text, integer, text) rename to postgres_regexp_count;
alter function pg_catalog.regexp_instr(text, text, integer, integer, integer, text) rename to postgres_regexp_instr;
alter function pg_catalog.regexp_instr(text, text, integer, integer, integer, text, integer) rename to postgres_regexp_instr;
create function pg_catalog.regexp_count(value text, pattern text, start integer, parameters text) returns integer
language sql immutable as $$
    select pg_catalog.postgres_regexp_count(value, pattern, start, redshift_internal.match_flags(parameters, 'cip'))
$$;
create function pg_catalog.regexp_instr(
    value text, pattern text, start integer, occurrence integer, ends integer, parameters text
) returns integer language sql immutable as $$
    select pg_catalog.postgres_regexp_instr(
        value,
        pattern,
        start,
        occurrence,
        ends,
        redshift_internal.match_flags(parameters, 'ceip'),
        redshift_internal.subexpression(pattern, parameters)
    )
$$;

-- Numbers -----------------------------------------------------------------------------------------------------------------------

create function pg_catalog.round(value double precision, digits integer) returns double precision
language sql immutable as $$ select round(value::numeric, digits)::double precision $$;
create function pg_catalog.trunc(value double precision, digits integer) returns double precision
language sql immutable as $$ select trunc(value::numeric, digits)::double precision $$;

-- The average of integers is an integer.
alter aggregate pg_catalog.avg(smallint) rename to postgres_avg;
alter aggregate pg_catalog.avg(integer) rename to postgres_avg;
alter aggregate pg_catalog.avg(bigint) rename to postgres_avg;

create function redshift_internal.whole_average(state bigint[]) returns bigint language sql immutable as $$
    select state[2] / nullif(state[1], 0)
$$;
create function redshift_internal.add_to_average(state numeric[], value bigint) returns numeric[] language sql immutable strict as $$
    select array[state[1] + 1, state[2] + value]
$$;
create function redshift_internal.whole_average(state numeric[]) returns bigint language sql immutable as $$
    select trunc(state[2] / nullif(state[1], 0))::bigint
$$;
create aggregate pg_catalog.avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], finalfunc = redshift_internal.whole_average, initcond = '{0,0}'
);
create aggregate pg_catalog.avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], finalfunc = redshift_internal.whole_average, initcond = '{0,0}'
);
create aggregate pg_catalog.avg(bigint) (
    sfunc = redshift_internal.add_to_average, stype = numeric[], finalfunc = redshift_internal.whole_average, initcond = '{0,0}'
);

-- The median of whole numbers and of decimals is a decimal, that of a date is a date.
create function redshift_internal.interpolated(state numeric[], fraction numeric) returns numeric language plpgsql immutable as $$
declare
    sorted numeric[] := (select array_agg(value order by value) from unnest(state) as collected (value) where value is not null);
    place numeric := 1 + fraction * (cardinality(sorted) - 1);
    below integer := floor(place);
begin
    if fraction not between 0 and 1 then
        raise exception using errcode = '22003', message = format('percentile value %s is not between 0 and 1', fraction);
    end if;
    if place = below then
        return sorted[below];
    end if;
    return sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
end $$;
create function redshift_internal.middle(state double precision[]) returns double precision language sql immutable as $$
    select percentile_cont(0.5::double precision) within group (order by value) from unnest(state) as collected (value)
$$;
create function redshift_internal.middle(state timestamp[]) returns timestamp language plpgsql immutable as $$
declare
    sorted timestamp[] := (select array_agg(value order by value) from unnest(state) as collected (value) where value is not null);
    below integer := (cardinality(sorted) + 1) / 2;
begin
    return sorted[below] + (sorted[cardinality(sorted) + 1 - below] - sorted[below]) / 2;
end $$;
create function redshift_internal.middle(state timestamptz[]) returns timestamptz language sql immutable as $$
    select redshift_internal.middle((select array_agg(value at time zone 'UTC') from unnest(state) as collected (value))) at time zone 'UTC'
$$;
create function redshift_internal.middle(state date[]) returns date language plpgsql immutable as $$
declare
    middle timestamp := redshift_internal.middle(state::timestamp[]);
begin
    if middle::date < middle then
        raise exception using
            errcode = '0A000',
            message = 'MEDIAN of dates that lies between two days is not emulated by the local Redshift endpoint';
    end if;
    return middle::date;
end $$;
do $$
declare
    type text;
begin
    foreach type in array array['smallint', 'integer', 'bigint', 'numeric'] loop
        execute format($f$
            create function redshift_internal.middle(state %1$s[]) returns numeric language sql immutable as $b$
                select redshift_internal.interpolated(state::numeric[], 0.5)
            $b$;
        $f$, type);
    end loop;
    foreach type in array array[
        'smallint', 'integer', 'bigint', 'numeric', 'double precision', 'date', 'timestamp', 'timestamptz'
    ] loop
        execute format($f$
            create aggregate pg_catalog.median(%1$s) (
                sfunc = array_append, stype = %1$s[], finalfunc = redshift_internal.middle, initcond = '{}'
            );
        $f$, type);
    end loop;
end $$;
create aggregate pg_catalog.percentile_cont(numeric order by numeric) (
    sfunc = array_append, stype = numeric[], finalfunc = redshift_internal.interpolated, initcond = '{}'
);

-- Deviations and variances are floating-point numbers, whatever they are of.
do $$
declare
    name text;
    type text;
begin
    foreach name in array array['stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp'] loop
        foreach type in array array['smallint', 'integer', 'bigint', 'numeric'] loop
            execute format('alter aggregate pg_catalog.%1$s(%2$s) rename to postgres_%1$s', name, type);
        end loop;
    end loop;
end $$;

-- JSON in texts -----------------------------------------------------------------------------------------------------------------

create function pg_catalog.is_valid_json(value text) returns boolean language sql immutable as $$
    select case when value is json object or value is json array then true when value is not null then false end
$$;
create function pg_catalog.is_valid_json_array(value text) returns boolean language sql immutable as $$
    select case when value is json array then true when value is not null then false end
$$;
create function pg_catalog.can_json_parse(value text) returns boolean language sql immutable as $$
    select case when value is json then true when value is not null then false end
$$;

create function redshift_internal.checked_json(value text, null_if_invalid boolean) returns json
language plpgsql immutable as $$
begin
    if value is json then
        return value::json;
    end if;
    if value is not null and not null_if_invalid then
        raise exception using errcode = 'XX000', message = 'JSON parsing error', detail = format('invalid json object %s', value);
    end if;
    return null;
end $$;

create function redshift_internal.json_path_text(value text, null_if_invalid boolean, variadic path text[]) returns varchar
language sql immutable as $$
    -- a path that leads nowhere gives an empty text, not null
    select case
        when redshift_internal.checked_json(value, null_if_invalid) is not null
            then coalesce(json_extract_path_text(redshift_internal.checked_json(value, null_if_invalid), variadic path), '')
    end
$$;

create function pg_catalog.json_extract_array_element_text(value text, index integer, null_if_invalid boolean default false)
returns varchar language sql immutable as $$
    select case
        when redshift_internal.checked_json(value, null_if_invalid) is not null
            then coalesce(redshift_internal.checked_json(value, null_if_invalid) ->> index, '')
    end
$$;
create function pg_catalog.json_array_length(value text, null_if_invalid boolean default false) returns integer
language sql immutable as $$
    select json_array_length(redshift_internal.checked_json(value, null_if_invalid))
$$;

-- Session -----------------------------------------------------------------------------------------------------------------------

create function pg_catalog.current_user_id() returns integer language sql stable as $$
    select oid::integer from pg_catalog.pg_roles where rolname = current_user
$$;
create function pg_catalog.pg_last_copy_id() returns integer language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_copy_id', true), '')::integer, -1)
$$;
create function pg_catalog.pg_last_copy_count() returns bigint language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_copy_count', true), '')::bigint, 0)
$$;
