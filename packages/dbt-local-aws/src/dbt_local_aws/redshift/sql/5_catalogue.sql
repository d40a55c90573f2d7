-- The catalogue as Redshift shows it. Sources: "System tables and views reference" and the SHOW commands of the Amazon Redshift
-- Database Developer Guide.

create view redshift_internal.relation as
select
    c.oid as relid,
    n.nspname as schema_name,
    c.relname as relation_name,
    c.relkind,
    c.relowner,
    c.relacl,
    pg_catalog.pg_get_userbyid(c.relowner) as owner_name,
    pg_catalog.obj_description(c.oid, 'pg_class') as remarks,
    case
        when c.relkind = 'r' then 'TABLE'
        else 'VIEW'
    end as table_type,
    case
        when m.relid is not null then 'MATERIALIZED VIEW'
        when l.relid is not null then 'LATE BINDING VIEW'
        when c.relkind = 'v' then 'REGULAR VIEW'
        else 'REGULAR TABLE'
    end as table_subtype
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join redshift_internal.late_view l on l.relid = c.oid
left join redshift_internal.materialized_view m on m.relid = c.oid
where
    c.relkind in ('r', 'v')
    and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal')
    and n.nspname not like 'pg!_toast%' escape '!'
    and n.nspname not like 'pg!_temp!_%' escape '!';

-- "Compression encodings": what a column has for which none is declared.
create function redshift_internal.shown_encoding(declared text, type regtype, is_raw boolean) returns text
language sql stable as $$
    select case
        when declared <> 'auto' then replace(declared, 'raw', 'none')
        when is_raw then 'none'
        when type = any ('{int2, int4, int8, numeric, date, timestamp, timestamptz, time, timetz}'::regtype[]) then 'az64'
        when type = any ('{bpchar, varchar, varbyte}'::regtype[]) then 'lzo'
        else 'none'
    end
$$;

create view redshift_internal.relation_column as
select
    r.*,
    a.attnum,
    a.attname,
    pg_catalog.format_type(a.atttypid, a.atttypmod) as full_type,
    case
        when a.atttypid = 'pg_catalog.bpchar'::regtype then 'character'
        else pg_catalog.format_type(a.atttypid, null)
    end as data_type,
    case
        when a.atttypid = 'pg_catalog.text'::regtype then 65535
        when a.atttypid in ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype) and a.atttypmod > 4 then a.atttypmod - 4
    end as character_maximum_length,
    case
        when a.atttypid = 'pg_catalog.int2'::regtype then 16
        when a.atttypid = 'pg_catalog.int4'::regtype then 32
        when a.atttypid = 'pg_catalog.int8'::regtype then 64
        when a.atttypid = 'pg_catalog.float4'::regtype then 24
        when a.atttypid = 'pg_catalog.float8'::regtype then 53
        when a.atttypid = 'pg_catalog.numeric'::regtype and a.atttypmod > 4 then (a.atttypmod - 4) >> 16
    end as numeric_precision,
    case
        when a.atttypid in ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype, 'pg_catalog.int8'::regtype) then 0
        when a.atttypid = 'pg_catalog.numeric'::regtype and a.atttypmod > 4 then (a.atttypmod - 4) & 2047
    end as numeric_scale,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid) as column_default,
    a.attnotnull,
    pg_catalog.col_description(r.relid, a.attnum) as column_remarks,
    redshift_internal.shown_encoding(e.encoding, a.atttypid::regtype, r.relkind = 'v' or a.attnum = any (t.sort_keys)) as encoding,
    e.encoding as declared_encoding,
    coalesce(t.distribution_key = a.attnum, false) as is_distribution_key,
    -- the signs alternate in an interleaved key
    coalesce(
        array_position(t.sort_keys, a.attnum)
        * case when t.interleaved and array_position(t.sort_keys, a.attnum) % 2 = 0 then -1 else 1 end,
        0
    ) as sort_position
from redshift_internal.relation r
join pg_catalog.pg_attribute a on a.attrelid = r.relid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef d on d.adrelid = r.relid and d.adnum = a.attnum
left join redshift_internal.table_design t on t.relid = r.relid
left join redshift_internal.column_encoding e on e.relid = r.relid and e.attnum = a.attnum;

create function redshift_internal.row_count(relation oid) returns bigint language plpgsql stable security definer as $$
declare
    counted bigint := 0;
begin
    -- a temporary table may be gone without a word, and any other one while this runs
    -- and who made a view would have its functions run by this one's owner
    if exists (select from pg_catalog.pg_class where oid = relation and relkind = 'r') then
        execute format('select count(*) from %s', relation::regclass) into counted;
    end if;
    return counted;
exception
    when undefined_table then
        return 0;
end $$;

create function redshift_internal.column_name(relation oid, number smallint) returns text language sql stable as $$
    select attname from pg_catalog.pg_attribute where attrelid = relation and attnum = number
$$;

create function redshift_internal.distribution_of(relation oid) returns text language sql stable security definer as $$
    select case distribution
        when 'key' then format('KEY(%s)', redshift_internal.column_name(relid, distribution_key))
        when 'all' then 'ALL'
        when 'even' then 'EVEN'
        else 'AUTO(ALL)'
    end
    from redshift_internal.table_design
    where relid = relation
$$;

-- A materialized view has the size and the design of the table that stores it.
create view redshift_internal.stored_relation as
select relid as shown_relid, relid as storage_relid from redshift_internal.relation where relkind = 'r'
union all
select relid, storage_relid from redshift_internal.materialized_view;

create view pg_catalog.svv_table_info as
select
    current_database()::varchar as database,
    r.schema_name::varchar as schema,
    r.relid::integer as table_id,
    r.relation_name::varchar as table,
    case
        when exists (select from redshift_internal.column_encoding e where e.relid = d.relid) then 'Y'
        else 'Y, AUTO(ENCODE)'
    end::varchar as encoded,
    redshift_internal.distribution_of(d.relid)::varchar as diststyle,
    case
        when d.interleaved then 'INTERLEAVED'
        when d.sort_keys = '{}' then 'AUTO(SORTKEY)'
        else redshift_internal.column_name(d.relid, d.sort_keys[1])
    end::varchar as sortkey1,
    coalesce(
        (select max(character_maximum_length) from redshift_internal.relation_column c where c.relid = d.relid and c.data_type = 'character varying'),
        0
    )::integer as max_varchar,
    (select encoding from redshift_internal.relation_column c where c.relid = d.relid and c.attnum = d.sort_keys[1])::varchar as sortkey1_enc,
    cardinality(d.sort_keys)::integer as sortkey_num,
    ceil(pg_catalog.pg_total_relation_size(d.relid) / 1048576.0)::bigint as size,
    counted.rows::numeric(38, 0) as tbl_rows,
    null::numeric(5, 2) as unsorted,
    least(100, 100 * abs(counted.rows - greatest(c.reltuples, 0)) / counted.rows)::numeric(5, 2) as stats_off,
    null::numeric(10, 4) as pct_used,
    null::numeric(19, 2) as skew_sortkey1,
    null::numeric(19, 2) as skew_rows,
    d.created_at as create_time
from redshift_internal.stored_relation s
join redshift_internal.relation r on r.relid = s.shown_relid
join redshift_internal.table_design d on d.relid = s.storage_relid
join pg_catalog.pg_class c on c.oid = s.storage_relid
cross join lateral (select redshift_internal.row_count(d.relid) as rows offset 0) as counted
-- empty tables are not shown
where counted.rows > 0;

create view pg_catalog.pg_table_def as
select
    schema_name::name as schemaname,
    relation_name::name as tablename,
    attname::name as "column",
    full_type::text as type,
    encoding::varchar(32) as encoding,
    is_distribution_key as distkey,
    sort_position::integer as sortkey,
    attnotnull as "notnull"
from redshift_internal.relation_column
where relkind = 'r' and schema_name = any (current_schemas(true))
order by schema_name, relation_name, attnum;

create view redshift_internal.pg_attribute as
select
    a.attrelid, a.attname, a.atttypid, a.attlen, a.attnum, a.atttypmod, a.attnotnull, a.atthasdef, a.attisdropped, a.attacl,
    coalesce(c.is_distribution_key, false) as attisdistkey,
    coalesce(c.sort_position, 0)::integer as attsortkeyord,
    c.declared_encoding as attencodingtype
from pg_catalog.pg_attribute a
left join redshift_internal.relation_column c on c.relid = a.attrelid and c.attnum = a.attnum;

create view redshift_internal.pg_class as
select
    c.oid, c.relname, c.relnamespace, c.reltype, c.relowner, c.relkind, c.reltuples, c.relacl,
    -- 0 even, 1 key, 8 all, 9 auto (all)
    case d.distribution when 'even' then 0 when 'key' then 1 when 'all' then 8 else 9 end::smallint as reldiststyle,
    case d.distribution when 'even' then 0 when 'key' then 1 when 'all' then 8 else 10 end::integer as releffectivediststyle
from pg_catalog.pg_class c
left join redshift_internal.table_design d on d.relid = c.oid;

-- SVV views of relations, columns and schemas ------------------------------------------------------------------------------------

create view pg_catalog.svv_all_columns as
select
    current_database()::varchar as database_name, schema_name::varchar, relation_name::varchar as table_name,
    attname::varchar as column_name, attnum::integer as ordinal_position, column_default::varchar,
    case when attnotnull then 'NO' else 'YES' end::varchar as is_nullable, data_type::varchar,
    character_maximum_length::integer, numeric_precision::integer, numeric_scale::integer, column_remarks::varchar as remarks
from redshift_internal.relation_column;

create view pg_catalog.svv_redshift_columns as
select
    current_database()::varchar as database_name, schema_name::varchar, relation_name::varchar as table_name,
    attname::varchar as column_name, attnum::integer as ordinal_position, full_type::varchar as data_type, column_default::varchar,
    case when attnotnull then 'NO' else 'YES' end::varchar as is_nullable, encoding::varchar, is_distribution_key as distkey,
    sort_position::integer as sortkey, column_remarks::varchar as remarks
from redshift_internal.relation_column;

create view pg_catalog.svv_columns as
select
    current_database()::varchar as table_catalog, schema_name::varchar as table_schema, relation_name::varchar as table_name,
    attname::varchar as column_name, attnum::integer as ordinal_position, column_default::varchar,
    case when attnotnull then 'NO' else 'YES' end::varchar as is_nullable, data_type::varchar,
    character_maximum_length::integer, numeric_precision::integer, numeric_scale::integer, column_remarks::varchar as remarks
from redshift_internal.relation_column;

create view pg_catalog.svv_all_tables as
select
    current_database()::varchar as database_name, schema_name::varchar, relation_name::varchar as table_name,
    relacl::varchar as table_acl, table_type::varchar, remarks::varchar
from redshift_internal.relation;

create view pg_catalog.svv_redshift_tables as
select
    current_database()::varchar as database_name, schema_name::varchar, relation_name::varchar as table_name, table_type::varchar,
    relacl::varchar as table_acl, remarks::varchar, owner_name::varchar as table_owner
from redshift_internal.relation;

create view pg_catalog.svv_tables as
select
    current_database()::varchar as table_catalog, schema_name::varchar as table_schema, relation_name::varchar as table_name,
    case table_type when 'TABLE' then 'BASE TABLE' else 'VIEW' end::varchar as table_type, remarks::varchar
from redshift_internal.relation;

create view redshift_internal.schema as
select
    current_database()::varchar as database_name, nspname::varchar as schema_name, nspowner::integer as schema_owner,
    'local'::varchar as schema_type, nspacl::varchar as schema_acl
from pg_catalog.pg_namespace
where nspname <> 'redshift_internal' and nspname not like 'pg!_toast%' escape '!' and nspname not like 'pg!_temp!_%' escape '!';

create view pg_catalog.svv_all_schemas as select * from redshift_internal.schema;
create view pg_catalog.svv_redshift_schemas as select * from redshift_internal.schema;

create view pg_catalog.svv_mv_info as
select
    current_database()::varchar as database_name, r.schema_name::varchar, r.owner_name::varchar as user_name,
    r.relation_name::varchar as name, case when m.auto_refresh then 't' else 'f' end::char(1) as autorefresh
from redshift_internal.materialized_view m
join redshift_internal.relation r on r.relid = m.relid;

create view pg_catalog.stv_mv_info as
select
    database_name as db_name, schema_name as schema, name, user_name as owner_user_name, autorefresh
from pg_catalog.svv_mv_info;

-- There is nothing external: CREATE EXTERNAL SCHEMA is refused.
create view pg_catalog.svv_external_schemas as
select null::integer as esoid, null::varchar as schemaname, null::varchar as databasename where false;
create view pg_catalog.svv_external_tables as
select null::varchar as schemaname, null::varchar as tablename, null::varchar as location where false;
create view pg_catalog.svv_external_columns as
select
    null::varchar as schemaname, null::varchar as tablename, null::varchar as columnname, null::varchar as external_type,
    null::integer as columnnum, null::integer as part_key
where false;

-- The endpoint finds the columns out before the statement runs, and leaves them in a parameter.
create function pg_catalog.pg_get_late_binding_view_cols() returns setof record language sql stable as $$
    select schema_name::name, view_name::name, column_name::name, column_type::varchar, position
    from json_to_recordset(coalesce(nullif(current_setting('redshift.late_binding_columns', true), ''), '[]')::json)
        as columns (schema_name text, view_name text, column_name text, column_type text, position integer)
$$;

-- Users, groups, roles and privileges -----------------------------------------------------------------------------------------------

create view redshift_internal.grant as
select
    r.relid,
    r.schema_name,
    r.relation_name,
    r.table_type,
    acl.privilege_type,
    acl.grantee as identity_id,
    case when acl.grantee = 0 then 'public' else pg_catalog.pg_get_userbyid(acl.grantee) end as identity_name,
    case when acl.grantee = 0 then 'public' else coalesce(i.kind, 'user') end as identity_type,
    acl.is_grantable as admin_option
from redshift_internal.relation r
cross join pg_catalog.aclexplode(coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner))) as acl
left join redshift_internal.identity i on i.roleid = acl.grantee
where acl.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRUNCATE');

create view pg_catalog.svv_relation_privileges as
select
    schema_name::varchar as namespace_name, relation_name::varchar, privilege_type::varchar, identity_id::integer,
    identity_name::varchar, identity_type::varchar, admin_option
from redshift_internal.grant;

create view pg_catalog.svv_roles as
select r.oid::integer as role_id, r.rolname::varchar as role_name
from pg_catalog.pg_roles r
join redshift_internal.identity i on i.roleid = r.oid and i.kind = 'role';

create view pg_catalog.svv_user_grants as
select m.member::integer as user_id, u.rolname::varchar as user_name, r.oid::integer as role_id, r.rolname::varchar as role_name, m.admin_option
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles r on r.oid = m.roleid
join redshift_internal.identity i on i.roleid = r.oid and i.kind = 'role'
join pg_catalog.pg_roles u on u.oid = m.member and u.rolname <> 'rds_superuser';

create or replace view pg_catalog.pg_group as
select
    r.rolname as groname, r.oid as grosysid,
    array(
        select m.member
        from pg_catalog.pg_auth_members m
        join pg_catalog.pg_roles u on u.oid = m.member and u.rolname <> 'rds_superuser'
        where m.roleid = r.oid
    ) as grolist
from pg_catalog.pg_authid r
join redshift_internal.identity i on i.roleid = r.oid and i.kind = 'group';
