-- What a session knows of itself. Source: "SQL functions reference" of the Amazon Redshift Database Developer Guide.

alter function pg_catalog.version() rename to postgres_version;
create function pg_catalog.version() returns text language sql stable as $$
    select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0 (local endpoint)'
$$;

create function pg_catalog.current_user_id() returns integer language sql stable as $$
    select oid::integer from pg_catalog.pg_roles where rolname = current_user
$$;
create function pg_catalog.pg_last_copy_id() returns integer language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_copy_id', true), '')::integer, -1)
$$;
create function pg_catalog.pg_last_copy_count() returns bigint language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_copy_count', true), '')::bigint, 0)
$$;
