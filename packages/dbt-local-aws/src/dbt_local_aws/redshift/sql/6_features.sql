-- What features of queries need that PostgreSQL has no word for: see features/.

-- FIRST_VALUE and LAST_VALUE with IGNORE NULLS are aggregates of a window's frame: strict ones never see a null.
create function redshift_internal.keep_first(state anyelement, value anyelement) returns anyelement language sql immutable strict as $$
    select state
$$;
create function redshift_internal.keep_last(state anyelement, value anyelement) returns anyelement language sql immutable strict as $$
    select value
$$;
create aggregate redshift_internal.first_value(anyelement) (sfunc = redshift_internal.keep_first, stype = anyelement);
create aggregate redshift_internal.last_value(anyelement) (sfunc = redshift_internal.keep_last, stype = anyelement);

-- The others choose among what is not null in the frame before, or behind, the row.
create function redshift_internal.nth_value(frame anyarray, place bigint) returns anyelement language sql immutable as $$
    select (array_remove(frame, null))[place::integer]
$$;
create function redshift_internal.lag(before anyarray, places bigint, value anyelement) returns anyelement language sql immutable as $$
    select case
        when places = 0 then value
        else (array_remove(before, null))[cardinality(array_remove(before, null)) + 1 - places::integer]
    end
$$;
create function redshift_internal.lead(behind anyarray, places bigint, value anyelement) returns anyelement language sql immutable as $$
    select case when places = 0 then value else (array_remove(behind, null))[places::integer] end
$$;
create function redshift_internal.lag(value anyelement) returns anyelement language sql immutable as $$ select value $$;
create function redshift_internal.lead(value anyelement) returns anyelement language sql immutable as $$ select value $$;

-- PERCENTILE_CONT and PERCENTILE_DISC over a partition, whose values are sorted once.
create function redshift_internal.sort_values(state anycompatiblearray) returns anycompatiblearray language sql immutable as $$
    select array_agg(value order by value) from unnest(state) as collected (value) where value is not null
$$;
create aggregate redshift_internal.sorted(anycompatible) (
    sfunc = array_append, stype = anycompatiblearray, finalfunc = redshift_internal.sort_values, initcond = '{}'
);

create function redshift_internal.checked_percentile(fraction numeric, descending boolean) returns numeric
language plpgsql immutable strict as $$
begin
    if fraction not between 0 and 1 then
        raise exception using errcode = '22003', message = format('percentile value %s is not between 0 and 1', fraction);
    end if;
    return case when descending then 1 - fraction else fraction end;
end $$;

create function redshift_internal.percentile_disc(sorted anyarray, fraction numeric, descending boolean) returns anyelement
language sql immutable as $$
    select sorted[case
        when descending then cardinality(sorted) + 1 - greatest(ceil(redshift_internal.checked_percentile(fraction, false) * cardinality(sorted)), 1)
        else greatest(ceil(redshift_internal.checked_percentile(fraction, false) * cardinality(sorted)), 1)
    end::integer]
$$;

do $$
declare
    family record;
    type text;
begin
    for family in
        select * from (values
            ('numeric', array['smallint', 'integer', 'bigint', 'numeric']), ('double precision', array['real', 'double precision'])
        ) as families (result, types)
    loop
        foreach type in array family.types loop
            execute format($f$
                create function redshift_internal.percentile_cont(sorted %1$s[], fraction numeric, descending boolean) returns %2$s
                language plpgsql immutable as $b$
                declare
                    place numeric := 1 + redshift_internal.checked_percentile(fraction, descending) * (cardinality(sorted) - 1);
                    below integer := floor(place);
                begin
                    if place = below then
                        return sorted[below];
                    end if;
                    return sorted[below]::%2$s + (place - below) * (sorted[below + 1]::%2$s - sorted[below]::%2$s);
                end $b$;
            $f$, type, family.result);
        end loop;
    end loop;
    foreach type in array array['timestamp', 'timestamptz'] loop
        execute format($f$
            create function redshift_internal.percentile_cont(sorted %1$s[], fraction numeric, descending boolean) returns %1$s
            language plpgsql immutable as $b$
            declare
                place numeric := 1 + redshift_internal.checked_percentile(fraction, descending) * (cardinality(sorted) - 1);
                below integer := floor(place);
            begin
                if place = below then
                    return sorted[below];
                end if;
                return sorted[below] + (place - below)::double precision * (sorted[below + 1] - sorted[below]);
            end $b$;
        $f$, type);
    end loop;
end $$;
create function redshift_internal.percentile_cont(sorted date[], fraction numeric, descending boolean) returns date
language plpgsql immutable as $$
declare
    found timestamp := redshift_internal.percentile_cont(sorted::timestamp[], fraction, descending);
begin
    if found <> found::date then
        raise exception using
            errcode = '0A000', hint = 'Redshift itself has it.',
            message = 'PERCENTILE_CONT of dates that lies between two days is not emulated by the local Redshift endpoint';
    end if;
    return found::date;
end $$;

-- LISTAGG under its own name: as an aggregate, and of values that are in order already.
create aggregate redshift_internal.listagg(text, text) (
    sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn
);
create function redshift_internal.listagg(ordered text[], delimiter text) returns varchar language sql immutable as $$
    select nullif(array_to_string(ordered, delimiter), '')
$$;
create function redshift_internal.distinct_in_order(collected text[]) returns text[] language sql immutable as $$
    select array_agg(value order by place)
    from (
        select value, min(place) as place from unnest(collected) with ordinality as all_of_them (value, place)
        where value is not null group by value
    ) as firsts
$$;

-- TRY_CAST: a value that cannot be converted is null; a conversion that there is not remains an error.
create function redshift_internal.try_cast(value anyelement, type text, of_type anycompatible) returns anycompatible
language plpgsql stable as $$
declare
    converted of_type%type;
begin
    execute format('select cast($1 as %s)', type) into converted using value;
    return converted;
exception when data_exception then
    return null;
end $$;
