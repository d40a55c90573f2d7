-- A database's isolation level is a parameter of its own: all databases of the server see what each of them has.

create function redshift_internal.isolation_level(database name) returns varchar language sql stable as $$
    select coalesce(
        (
            select split_part(setting, '=', 2)
            from pg_catalog.pg_db_role_setting s
            join pg_catalog.pg_database d on d.oid = s.setdatabase
            cross join unnest(s.setconfig) as setting
            where d.datname = database and s.setrole = 0 and starts_with(setting, 'redshift.isolation_level=')
        ),
        'Snapshot Isolation'
    )::varchar
$$;

-- r_ALTER_DATABASE: what speaks against another level. Its own second connection is not another user's.
create function redshift_internal.check_can_set_isolation_level(database name) returns void language plpgsql security definer as $$
begin
    if database = 'dev' then
        raise exception using
            errcode = '0A000', message = 'cannot alter the isolation level of the database "dev"';
    end if;
    if exists (
        select from pg_catalog.pg_stat_activity
        where
            datname = database
            and pid <> pg_backend_pid()
            and backend_type = 'client backend'
            and application_name <> 'redshift_aside'
    ) then
        raise exception using
            errcode = '55006', message = format('database "%s" is being accessed by other users', database);
    end if;
end $$;

create function redshift_internal.set_isolation_level(database name, level text) returns void
language plpgsql security definer as $$
begin
    if not has_database_privilege(redshift_internal.caller(), database, 'create') then
        raise exception using errcode = '42501', message = format('permission denied for database "%s"', database);
    end if;
    execute format('alter database %I set redshift.isolation_level = %L', database, level);
end $$;

create view pg_catalog.stv_db_isolation_level as
select datname::character(128) as db_name, redshift_internal.isolation_level(datname)::character(20) as isolation_level
from pg_catalog.pg_database
where not datistemplate and datname <> 'postgres';

grant select on pg_catalog.stv_db_isolation_level to public;
