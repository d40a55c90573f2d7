-- Redshift's superusers, who are none of PostgreSQL's: superuser.py says what this rests on.

create role rds_superuser;
grant pg_signal_backend, pg_read_all_stats, pg_maintain to rds_superuser;

-- Whom a statement is run as: who logged in, or whom SET SESSION AUTHORIZATION has put in the place.
create function redshift_internal.caller() returns name language sql stable as $$
    select coalesce(nullif(pg_catalog.current_setting('role'), 'none')::name, session_user)
$$;

create function redshift_internal.is_superuser(wanted name) returns boolean language sql stable as $$
    select exists (
        select from pg_catalog.pg_auth_members m
        join pg_catalog.pg_roles r on r.oid = m.member
        where m.roleid = 'rds_superuser'::regrole and r.rolname = wanted
    )
$$;

create function redshift_internal.check_superuser(checked name) returns void language plpgsql stable as $$
begin
    if not redshift_internal.is_superuser(checked) and checked <> 'rdsdb' then
        raise exception using errcode = '42501', message = 'permission denied: must be superuser';
    end if;
end $$;

-- A new user, group or role is the superusers' to use and to alter, and nobody else's: also not of who has made it.
create function redshift_internal.record_identity(name text, kind text) returns void language plpgsql security definer as $$
declare
    creator name := redshift_internal.caller();
begin
    perform redshift_internal.check_superuser(creator);
    if not pg_has_role(creator, name, 'member with admin option') then
        raise exception using errcode = '42501', message = format('permission denied for user "%s"', name);
    end if;
    insert into redshift_internal.identity
    select oid, record_identity.kind from pg_catalog.pg_roles where rolname = name
    on conflict (roleid) do update set kind = excluded.kind;
    execute format('grant %I to rds_superuser with admin true, inherit true, set true', name);
    if creator <> 'rdsdb' then
        execute format('revoke %I from %I', name, creator);
    end if;
end $$;

-- PostgreSQL refuses circles of memberships when they are granted, and deals with them when they are there.
create function redshift_internal.set_superuser(name text, superuser boolean) returns void
language plpgsql security definer set allow_system_table_mods = on as $$
begin
    perform redshift_internal.check_superuser(redshift_internal.caller());
    if not pg_has_role(redshift_internal.caller(), name, 'member') then
        raise exception using errcode = '42501', message = format('permission denied for user "%s"', name);
    end if;
    delete from pg_catalog.pg_auth_members
    where roleid = 'rds_superuser'::regrole and member = (select oid from pg_catalog.pg_roles where rolname = name);
    if superuser then
        execute format('alter role %I createrole createdb', name);
        insert into pg_catalog.pg_auth_members (oid, roleid, member, grantor, admin_option, inherit_option, set_option)
        select
            pg_nextoid('pg_catalog.pg_auth_members', 'oid', 'pg_catalog.pg_auth_members_oid_index'),
            'rds_superuser'::regrole, oid, 'rdsdb'::regrole, false, true, true
        from pg_catalog.pg_roles
        where rolname = name;
    else
        execute format('alter role %I nocreaterole nocreatedb', name);
    end if;
end $$;

-- PostgreSQL asks whether the new owner may create something in the schema; a superuser of Redshift's is not asked.
create function redshift_internal.change_owner(class regclass, object oid, new_owner name) returns void
language plpgsql security definer as $$
declare
    changer name := redshift_internal.caller();
    item record;
    owner oid;
begin
    perform redshift_internal.check_superuser(changer);
    select * into item from pg_identify_object(class, object, 0);
    owner := case class
        when 'pg_catalog.pg_class'::regclass then (select relowner from pg_catalog.pg_class where oid = object)
        when 'pg_catalog.pg_proc'::regclass then (select proowner from pg_catalog.pg_proc where oid = object)
        when 'pg_catalog.pg_namespace'::regclass then (select nspowner from pg_catalog.pg_namespace where oid = object)
        when 'pg_catalog.pg_database'::regclass then (select datdba from pg_catalog.pg_database where oid = object)
    end;
    if not coalesce(pg_has_role(changer, owner, 'usage') and pg_has_role(changer, new_owner, 'member'), false) then
        raise exception using errcode = '42501', message = format('must be owner of %s %s', item.type, item.name);
    end if;
    execute format('alter %s %s owner to %I', item.type, item.identity, new_owner);
end $$;

create function redshift_internal.set_owner(kind text, object_name text, new_owner name) returns void language plpgsql as $$
begin
    if not redshift_internal.is_superuser(redshift_internal.caller()) then
        execute format('alter %s %s owner to %I', kind, object_name, new_owner);
    elsif kind = 'table' then
        perform redshift_internal.change_owner('pg_catalog.pg_class', object_name::regclass, new_owner);
    elsif kind = 'schema' then
        perform redshift_internal.change_owner('pg_catalog.pg_namespace', object_name::regnamespace, new_owner);
    elsif kind = 'database' then
        perform redshift_internal.change_owner(
            'pg_catalog.pg_database', (select oid from pg_catalog.pg_database where quote_ident(datname) = object_name), new_owner
        );
    else
        perform redshift_internal.change_owner('pg_catalog.pg_proc', object_name::regprocedure, new_owner);
    end if;
end $$;

create or replace view pg_catalog.pg_user as
select
    rolname as usename, oid as usesysid, rolcreatedb as usecreatedb,
    rolsuper or redshift_internal.is_superuser(rolname) as usesuper,
    false as userepl, false as usebypassrls, '********'::text as passwd, rolvaliduntil as valuntil, rolconfig as useconfig
from pg_catalog.pg_roles
where rolcanlogin;
