-- What types are called in the catalogue: TEXT is VARCHAR here. That an interval has its qualifier, and VARBYTE its longest name, is
-- inferred: redshift_connector reads such names.

alter function pg_catalog.format_type(oid, integer) rename to postgres_format_type;
create function pg_catalog.format_type(type oid, modifier integer) returns text language sql stable as $$
    select case
        when type = 'pg_catalog.text'::regtype then 'character varying'
        when type = 'pg_catalog.intervaly2m'::regtype and coalesce(modifier, -1) < 0 then 'interval year to month'
        when type = 'pg_catalog.intervald2s'::regtype and coalesce(modifier, -1) < 0 then 'interval day to second'
        when type in ('pg_catalog.intervaly2m'::regtype, 'pg_catalog.intervald2s'::regtype)
            then pg_catalog.postgres_format_type('interval'::regtype, modifier)
        when type = 'pg_catalog.varbyte'::regtype then 'binary varying' || case when modifier >= 0 then format('(%s)', modifier) else '' end
        else pg_catalog.postgres_format_type(type, modifier)
    end
$$;
