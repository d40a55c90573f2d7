-- Functions of numbers that Redshift has and PostgreSQL has not, or has otherwise. Source: "SQL functions reference"
-- of the Amazon Redshift Database Developer Guide.

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
