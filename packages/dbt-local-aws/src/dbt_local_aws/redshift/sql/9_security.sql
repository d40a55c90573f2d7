-- What runs with the rights of the server's own user finds PostgreSQL's functions and operators, and nobody else's:
-- superuser.py says what this is for.

-- As of now, not as of the transaction's snapshot, in which the relation may be missing: so its number says its name, as the
-- search path wants it that is set below.
create function redshift_internal.whole_name(relation regclass) returns text language sql stable
set search_path to pg_catalog, pg_temp as $$
    select relation::text
$$;

create function redshift_internal.qualified(relation_name text) returns text language sql stable as $$
    select coalesce(redshift_internal.whole_name(pg_catalog.to_regclass(relation_name)), relation_name)
$$;

create function redshift_internal.qualified(constraints json) returns json language sql stable as $$
    select coalesce(
        json_agg(
            case
                when value ->> 'table' is null then value
                else jsonb_set(value::jsonb, '{table}', to_jsonb(redshift_internal.qualified(value ->> 'table')))::json
            end
            order by ordinality
        ),
        '[]'
    )
    from json_array_elements(constraints) with ordinality
$$;

create function redshift_internal.qualified_design(design json) returns json language sql stable as $$
    select jsonb_set(
        jsonb_set(design::jsonb, '{constraints}', redshift_internal.qualified(design -> 'constraints')::jsonb),
        '{like}',
        coalesce(to_jsonb(redshift_internal.qualified(design ->> 'like')), 'null')
    )::json
$$;

-- The names of relations mean what they mean where they were written: they are looked up before.
do $$
declare
    item record;
begin
    for item in
        select
            p.oid::regprocedure as signature,
            p.proname as name,
            pg_catalog.pg_get_function_arguments(p.oid) as arguments,
            pg_catalog.pg_get_function_result(p.oid) as result,
            case p.provolatile when 's' then 'stable' when 'v' then 'volatile' end as volatility,
            (
                select string_agg(
                    case
                        when argument in ('relation', 'storage', 'constraints')
                            then format('redshift_internal.qualified($%s)', place)
                        when argument = 'design'
                            then format('redshift_internal.qualified_design($%s)', place)
                        else format('$%s', place)
                    end,
                    ', ' order by place
                )
                from unnest(p.proargnames[:p.pronargs]) with ordinality as named (argument, place)
            ) as passed
        from pg_catalog.pg_proc p
        where
            p.pronamespace = 'redshift_internal'::regnamespace
            and p.prosecdef
            and p.proargnames[1] = 'relation'
            and p.proargtypes[0] = 'text'::regtype
    loop
        execute format('alter function %s rename to %I', item.signature, 'owned_' || item.name);
        execute format(
            'create function redshift_internal.%I(%s) returns %s language sql %s as $w$ select redshift_internal.%I(%s) $w$',
            item.name, item.arguments, item.result, item.volatility, 'owned_' || item.name, item.passed
        );
    end loop;
    for item in
        select p.oid::regprocedure as signature
        from pg_catalog.pg_proc p
        where p.oid >= 16384 and p.prosecdef
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', item.signature);
    end loop;
end $$;

-- PostgreSQL lets the owner of a database install extensions that it trusts. Redshift has none.
create function redshift_internal.refuse_command() returns event_trigger language plpgsql as $$
begin
    raise exception using errcode = '0A000', message = format('%s is not supported', tg_tag);
end $$;
create event trigger redshift_refuse_command on ddl_command_start when tag in ('CREATE EXTENSION', 'ALTER EXTENSION')
execute function redshift_internal.refuse_command();

revoke connect on database template1, postgres from public;
alter role rdsdb set search_path = pg_catalog, pg_temp;
