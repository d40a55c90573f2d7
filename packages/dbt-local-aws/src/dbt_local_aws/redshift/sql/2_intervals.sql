-- INTERVAL YEAR TO MONTH and INTERVAL DAY TO SECOND (r_interval_data_types). Each is a type of its own, as the drivers know them:
-- they say how many months the first has, and how many microseconds the second. Within, both are PostgreSQL's intervals.

create type pg_catalog.intervaly2m;
create type pg_catalog.intervald2s;
update pg_catalog.pg_type set oid = 1188 where typname = 'intervaly2m';
update pg_catalog.pg_type set oid = 1190 where typname = 'intervald2s';
do $$
declare
    type text;
begin
    foreach type in array array['intervaly2m', 'intervald2s'] loop
        execute format($f$
            create function pg_catalog.%1$s_in(cstring, oid, integer) returns %1$s language internal stable strict as 'interval_in';
            create function pg_catalog.%1$s_out(%1$s) returns cstring language internal stable strict as 'interval_out';
            create function pg_catalog.%1$s_typmodin(cstring[]) returns integer language internal immutable strict as 'intervaltypmodin';
            create type pg_catalog.%1$s (
                input = pg_catalog.%1$s_in, output = pg_catalog.%1$s_out, typmod_in = pg_catalog.%1$s_typmodin, like = interval,
                category = 'T'
            );
            create cast (%1$s as interval) without function as implicit;
            create function redshift_internal.scaled(value %1$s, modifier integer) returns %1$s
            language internal immutable strict as 'interval_scale';
            create function redshift_internal.scaled_to_%1$s(value interval, modifier integer) returns %1$s
            language internal immutable strict as 'interval_scale';
        $f$, type);
    end loop;
end $$;

create function redshift_internal.months(value interval) returns integer language sql immutable strict as $$
    select (extract(year from value) * 12 + extract(month from value))::integer
$$;

-- Of another interval each keeps the part that it has a place for; so does a column of the literal that it gets.
create function redshift_internal.as_intervaly2m(value interval) returns intervaly2m language sql immutable strict as $$
    select redshift_internal.scaled_to_intervaly2m(make_interval(months => redshift_internal.months(value)), -1)
$$;
create function redshift_internal.as_intervald2s(value interval) returns intervald2s language sql immutable strict as $$
    select redshift_internal.scaled_to_intervald2s(value - make_interval(months => redshift_internal.months(value)), -1)
$$;
do $$
declare
    type text;
begin
    foreach type in array array['intervaly2m', 'intervald2s'] loop
        execute format($f$
            create cast (interval as %1$s) with function redshift_internal.as_%1$s(interval) as assignment;
            create function redshift_internal.fit_%1$s(value %1$s, modifier integer) returns %1$s language sql immutable strict as $b$
                select redshift_internal.as_%1$s(redshift_internal.scaled(value, modifier))
            $b$;
            create cast (%1$s as %1$s) with function redshift_internal.fit_%1$s(%1$s, integer) as implicit;
        $f$, type);
    end loop;
end $$;

create function pg_catalog.intervaly2m_send(value intervaly2m) returns bytea language sql immutable strict as $$
    select int4send(redshift_internal.months(value))
$$;
create function pg_catalog.intervald2s_send(value intervald2s) returns bytea language sql immutable strict as $$
    select int8send((extract(epoch from value::interval) * 1000000)::bigint)
$$;
alter type pg_catalog.intervaly2m set (send = pg_catalog.intervaly2m_send);
alter type pg_catalog.intervald2s set (send = pg_catalog.intervald2s_send);

-- "Interval arithmetic": what an interval is added to, subtracted from, multiplied with or divided by keeps its type. The other
-- operations of the tables are PostgreSQL's.
do $$
declare
    type text;
    operator record;
begin
    foreach type in array array['intervaly2m', 'intervald2s'] loop
        for operator in select * from (values
            ('+', 'plus', type), ('-', 'minus', type), ('*', 'times', 'double precision'), ('/', 'divided', 'double precision')
        ) as o (sign, name, second) loop
            execute format($f$
                create function redshift_internal.%2$s(first %1$s, second %4$s) returns %1$s language sql immutable strict as $b$
                    select redshift_internal.as_%1$s(first::interval %3$s second::%5$s)
                $b$;
                create operator pg_catalog.%3$s (function = redshift_internal.%2$s, leftarg = %1$s, rightarg = %4$s);
            $f$, type, operator.name, operator.sign, operator.second, case operator.second when type then 'interval' else operator.second end);
        end loop;
        execute format($f$
            create function redshift_internal.negated(value %1$s) returns %1$s language sql immutable strict as $b$
                select redshift_internal.as_%1$s(- value::interval)
            $b$;
            create operator pg_catalog.- (function = redshift_internal.negated, rightarg = %1$s);
            create function redshift_internal.least(first %1$s, second %1$s) returns %1$s language sql immutable strict as $b$
                select case when second::interval < first::interval then second else first end
            $b$;
            create function redshift_internal.greatest(first %1$s, second %1$s) returns %1$s language sql immutable strict as $b$
                select case when second::interval > first::interval then second else first end
            $b$;
            create aggregate pg_catalog.sum(%1$s) (sfunc = redshift_internal.plus, stype = %1$s);
            create aggregate pg_catalog.min(%1$s) (sfunc = redshift_internal.least, stype = %1$s);
            create aggregate pg_catalog.max(%1$s) (sfunc = redshift_internal.greatest, stype = %1$s);
        $f$, type);
    end loop;
end $$;

-- A date and months are a date; a date and days to seconds a timestamp, as with PostgreSQL's.
create function redshift_internal.plus(first date, second intervaly2m) returns date language sql immutable strict as $$
    select (first + second::interval)::date
$$;
create function redshift_internal.plus(first intervaly2m, second date) returns date language sql immutable strict as $$
    select (second + first::interval)::date
$$;
create function redshift_internal.minus(first date, second intervaly2m) returns date language sql immutable strict as $$
    select (first - second::interval)::date
$$;
create operator pg_catalog.+ (function = redshift_internal.plus, leftarg = date, rightarg = intervaly2m);
create operator pg_catalog.+ (function = redshift_internal.plus, leftarg = intervaly2m, rightarg = date);
create operator pg_catalog.- (function = redshift_internal.minus, leftarg = date, rightarg = intervaly2m);

-- r_interval_forbid_composite_literals: nothing, or an error where a literal says what its type has no place for.
create function redshift_internal.nothing_but(type text, written interval) returns interval language plpgsql stable as $$
declare
    is_year_to_month boolean := type = 'intervaly2m';
    refused interval := make_interval(months => redshift_internal.months(written));
    parts text := case when is_year_to_month then 'day-second' else 'year-month' end;
begin
    if is_year_to_month then
        refused := written - refused;
    end if;
    if refused <> interval '0' and redshift_internal.is_on('interval_forbid_composite_literals', 'off') then
        raise exception using errcode = '22007', message = format(
            'Interval %s literal cannot contain %s parts. Disable the GUC interval_forbid_composite_literals to suppress this error '
            'and silently discard the %s part.',
            case when is_year_to_month then 'Year To Month' else 'Day To Second' end, parts, parts
        );
    end if;
    return interval '0';
end $$;
