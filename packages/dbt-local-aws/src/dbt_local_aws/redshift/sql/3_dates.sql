-- Functions of dates and times that Redshift has and PostgreSQL has not, or has otherwise. Source: "SQL functions reference"
-- of the Amazon Redshift Database Developer Guide.

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
