-- Users, privileges and databases as the SVV views show them: SVV_USER_INFO, SVV_ROLE_GRANTS, SVV_DEFAULT_PRIVILEGES,
-- SVV_COLUMN_PRIVILEGES, SVV_SCHEMA_PRIVILEGES, SVV_DATABASE_PRIVILEGES, SVV_FUNCTION_PRIVILEGES, SVV_REDSHIFT_DATABASES,
-- SVV_REDSHIFT_FUNCTIONS and PG_USER_INFO in "System tables and views reference".

create view redshift_internal.database_user as
select
    r.oid, r.rolname, r.rolsuper or redshift_internal.is_superuser(r.rolname) as rolsuper, r.rolinherit, r.rolcreaterole,
    r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolconnlimit, r.rolpassword, r.rolvaliduntil, r.rolbypassrls, r.rolconfig
from pg_catalog.pg_roles r
left join redshift_internal.identity i on i.roleid = r.oid
where r.rolcanlogin or i.kind = 'user';

create function redshift_internal.identity_name(role_id oid) returns varchar language sql stable as $$
    select case when role_id = 0 then 'public' else pg_catalog.pg_get_userbyid(role_id)::varchar end
$$;
create function redshift_internal.identity_type(role_id oid) returns varchar language sql stable security definer as $$
    select case
        when role_id = 0 then 'public'
        else coalesce((select kind from redshift_internal.identity where roleid = role_id), 'user')
    end
$$;

create view pg_catalog.svv_user_info as
select
    rolname::varchar(128) as user_name, oid::integer as user_id, rolcreatedb as createdb, rolsuper as superuser,
    false as catalog_update, case rolconnlimit when -1 then 'UNLIMITED' else rolconnlimit::text end::varchar as connection_limit,
    case when rolsuper then 'UNRESTRICTED' else 'RESTRICTED' end::varchar as syslog_access,
    null::timestamp as last_ddl_timestamp, 0 as session_timeout, null::varchar as external_user_id
from redshift_internal.database_user;

create view pg_catalog.pg_user_info as
select
    rolname as usename, oid::integer as usesysid, rolcreatedb as usecreatedb, rolsuper as usesuper, false as usecatupd,
    '********'::text as passwd, rolvaliduntil as valuntil, rolconfig as useconfig,
    case rolconnlimit when -1 then 'UNLIMITED' else rolconnlimit::text end as useconnlimit
from redshift_internal.database_user;

create view pg_catalog.svv_role_grants as
select
    member.oid::integer as role_id, member.rolname::varchar(128) as role_name, granted.oid::integer as granted_role_id,
    granted.rolname::varchar(128) as granted_role_name
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles granted on granted.oid = m.roleid
join pg_catalog.pg_roles member on member.oid = m.member
join redshift_internal.identity g on g.roleid = granted.oid and g.kind = 'role'
join redshift_internal.identity i on i.roleid = member.oid and i.kind = 'role';

create view pg_catalog.svv_column_privileges as
select
    r.schema_name::varchar(128) as namespace_name, r.relation_name::varchar(128) as relation_name,
    a.attname::varchar(128) as column_name, acl.privilege_type::varchar, acl.grantee::integer as identity_id,
    redshift_internal.identity_name(acl.grantee) as identity_name, redshift_internal.identity_type(acl.grantee) as identity_type,
    acl.is_grantable as admin_option
from redshift_internal.relation r
join pg_catalog.pg_attribute a on a.attrelid = r.relid
cross join pg_catalog.aclexplode(a.attacl) as acl
where acl.privilege_type in ('SELECT', 'UPDATE');

create view pg_catalog.svv_schema_privileges as
select
    n.nspname::varchar(128) as namespace_name, acl.privilege_type::varchar, acl.grantee::integer as identity_id,
    redshift_internal.identity_name(acl.grantee) as identity_name, redshift_internal.identity_type(acl.grantee) as identity_type,
    acl.is_grantable as admin_option
from pg_catalog.pg_namespace n
cross join pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) as acl
where n.nspname <> 'redshift_internal' and n.nspname !~ '^pg_(toast|temp)';

create view pg_catalog.svv_database_privileges as
select
    d.datname::varchar(128) as database_name, acl.privilege_type::varchar, acl.grantee::integer as identity_id,
    redshift_internal.identity_name(acl.grantee) as identity_name, redshift_internal.identity_type(acl.grantee) as identity_type,
    acl.is_grantable as admin_option
from pg_catalog.pg_database d
cross join pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) as acl
where not d.datistemplate and acl.privilege_type in ('CREATE', 'TEMPORARY');

create view pg_catalog.svv_function_privileges as
select
    n.nspname::varchar(128) as namespace_name, p.proname::varchar(128) as function_name,
    pg_catalog.pg_get_function_identity_arguments(p.oid)::varchar as argument_types, acl.privilege_type::varchar,
    acl.grantee::integer as identity_id, redshift_internal.identity_name(acl.grantee) as identity_name,
    redshift_internal.identity_type(acl.grantee) as identity_type, acl.is_grantable as admin_option
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
cross join pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as acl
where p.oid >= 16384 and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal');

create view pg_catalog.svv_default_privileges as
select
    n.nspname::varchar(128) as schema_name,
    case d.defaclobjtype when 'r' then 'RELATION' when 'f' then 'FUNCTION' else d.defaclobjtype::text end::varchar as object_type,
    d.defaclrole::integer as owner_id, redshift_internal.identity_name(d.defaclrole) as owner_name,
    redshift_internal.identity_type(d.defaclrole) as owner_type, acl.privilege_type::varchar, acl.grantee::integer as grantee_id,
    redshift_internal.identity_name(acl.grantee) as grantee_name, redshift_internal.identity_type(acl.grantee) as grantee_type,
    acl.is_grantable as admin_option
from pg_catalog.pg_default_acl d
left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
cross join pg_catalog.aclexplode(d.defaclacl) as acl;

create view pg_catalog.svv_redshift_databases as
select
    datname::varchar(128) as database_name, datdba::integer as database_owner, 'local'::varchar(32) as database_type,
    datacl::varchar as database_acl, null::varchar as database_options,
    redshift_internal.isolation_level(datname) as database_isolation_level
from pg_catalog.pg_database
where not datistemplate;

create view pg_catalog.svv_redshift_functions as
select
    current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name, p.proname::varchar(128) as function_name,
    case p.prokind when 'p' then 'STORED PROCEDURE' when 'a' then 'AGGREGATED FUNCTION' else 'REGULAR FUNCTION' end::varchar
        as function_type,
    pg_catalog.oidvectortypes(p.proargtypes)::varchar as argument_type,
    case when p.prokind <> 'p' then pg_catalog.format_type(p.prorettype, null) end::varchar as result_type
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.oid >= 16384 and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal');

grant select on
    redshift_internal.database_user, pg_catalog.svv_user_info, pg_catalog.pg_user_info, pg_catalog.svv_role_grants,
    pg_catalog.svv_column_privileges, pg_catalog.svv_schema_privileges, pg_catalog.svv_database_privileges, pg_catalog.svv_function_privileges,
    pg_catalog.svv_default_privileges, pg_catalog.svv_redshift_databases, pg_catalog.svv_redshift_functions
to public;
