-- What SHOW reads, and PostgreSQL's own views as Redshift shows them.

-- SHOW ----------------------------------------------------------------------------------------------------------------------------

create function redshift_internal.show_databases() returns table (database_name varchar, database_owner integer, database_type varchar)
language sql stable as $$
    select datname, datdba::integer, 'local' from pg_catalog.pg_database where not datistemplate
$$;

create function redshift_internal.show_schemas() returns table (
    database_name varchar, schema_name varchar, schema_owner integer, schema_type varchar, schema_acl varchar
) language sql stable as $$ select * from redshift_internal.schema $$;

create function redshift_internal.show_tables(wanted_schema text) returns table (
    database_name varchar, schema_name varchar, table_name varchar, table_type varchar, table_acl varchar, remarks varchar,
    owner varchar, last_modified_time timestamp, dist_style varchar, table_subtype varchar
) language plpgsql stable as $$
begin
    if not exists (select from pg_catalog.pg_namespace where nspname = wanted_schema) then
        raise exception using errcode = '3F000', message = format('Schema "%s" does not exist', wanted_schema);
    end if;
    return query
    select
        current_database()::varchar, r.schema_name::varchar, r.relation_name::varchar, r.table_type::varchar, r.relacl::varchar,
        r.remarks::varchar, r.owner_name::varchar,
        (select max(start_time) from pg_catalog.sys_query_detail q where q.table_id = r.relid::integer),
        redshift_internal.distribution_of(r.relid)::varchar, r.table_subtype::varchar
    from redshift_internal.relation r
    where r.schema_name = wanted_schema
    order by r.relation_name;
end $$;

create function redshift_internal.show_columns(relation text) returns table (
    database_name varchar, schema_name varchar, table_name varchar, column_name varchar, ordinal_position integer,
    column_default varchar, is_nullable varchar, data_type varchar, character_maximum_length integer, numeric_precision integer,
    numeric_scale integer, remarks varchar, sort_key_order integer, is_dist_key boolean, encoding varchar
) language sql stable as $$
    select
        current_database(), schema_name, relation_name, attname, attnum, column_default,
        case when attnotnull then 'NO' else 'YES' end, data_type, character_maximum_length, numeric_precision, numeric_scale,
        column_remarks, sort_position, is_distribution_key, encoding
    from redshift_internal.relation_column
    where relid = relation::regclass
    order by attnum
$$;

create function redshift_internal.show_grants(relation text) returns table (
    database_name varchar, schema_name varchar, object_name varchar, object_type varchar, privilege_type varchar,
    identity_id integer, identity_name varchar, identity_type varchar, admin_option boolean
) language sql stable as $$
    select
        current_database(), schema_name, relation_name, table_type, privilege_type, identity_id::integer,
        -- groups come as roles with a slash before their names
        case identity_type when 'group' then '/' else '' end || identity_name,
        case identity_type when 'group' then 'role' else identity_type end,
        admin_option
    from redshift_internal.grant
    where relid = relation::regclass
$$;

-- PostgreSQL's own views, where Redshift's show more or otherwise ---------------------------------------------------------------------

alter view pg_catalog.pg_views rename to postgres_views;
create view pg_catalog.pg_views as
select v.schemaname, v.viewname, v.viewowner, coalesce(m.statement, l.statement || ';', v.definition) as definition
from pg_catalog.postgres_views v
join pg_catalog.pg_namespace n on n.nspname = v.schemaname
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = v.viewname
left join redshift_internal.late_view l on l.relid = c.oid
left join redshift_internal.materialized_view m on m.relid = c.oid
where v.schemaname <> 'redshift_internal';

alter view information_schema.views rename to postgres_views;
create view information_schema.views as
select
    v.table_catalog, v.table_schema, v.table_name,
    coalesce(p.definition, v.view_definition)::information_schema.character_data as view_definition,
    v.check_option, v.is_updatable, v.is_insertable_into
from information_schema.postgres_views v
left join pg_catalog.pg_views p on p.schemaname = v.table_schema and p.viewname = v.table_name
where v.table_schema <> 'redshift_internal';

alter view information_schema.columns rename to postgres_columns;
create view information_schema.columns as
select
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable,
    case
        when data_type = 'text' then 'character varying'
        else data_type
    end::information_schema.character_data as data_type,
    case data_type when 'text' then 65535 else character_maximum_length end::information_schema.cardinal_number
        as character_maximum_length,
    numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, udt_name
from information_schema.postgres_columns
where table_schema <> 'redshift_internal';

alter view information_schema.tables rename to postgres_tables;
create view information_schema.tables as
select table_catalog, table_schema, table_name, table_type
from information_schema.postgres_tables
where table_schema <> 'redshift_internal' and table_name not like 'postgres!_%' escape '!';

alter view information_schema.table_constraints rename to postgres_table_constraints;
create view information_schema.table_constraints as
select
    current_database()::information_schema.sql_identifier as constraint_catalog, r.schema_name as constraint_schema,
    k.name as constraint_name, current_database()::information_schema.sql_identifier as table_catalog, r.schema_name as table_schema,
    r.relation_name as table_name,
    case k.type when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE' else 'FOREIGN KEY' end as constraint_type
from redshift_internal.key_constraint k
join redshift_internal.relation r on r.relid = k.relid;

alter view information_schema.key_column_usage rename to postgres_key_column_usage;
create view information_schema.key_column_usage as
select
    current_database()::information_schema.sql_identifier as constraint_catalog, r.schema_name as constraint_schema,
    k.name as constraint_name, current_database()::information_schema.sql_identifier as table_catalog, r.schema_name as table_schema,
    r.relation_name as table_name, redshift_internal.column_name(k.relid, used.attnum) as column_name,
    used.position::integer as ordinal_position
from redshift_internal.key_constraint k
join redshift_internal.relation r on r.relid = k.relid
cross join unnest(k.attnums) with ordinality as used (attnum, position);

grant select on all tables in schema information_schema to public;
grant select on
    redshift_internal.relation, redshift_internal.relation_column, redshift_internal.pg_attribute, redshift_internal.pg_class,
    redshift_internal.grant, redshift_internal.schema, redshift_internal.stored_relation,
    redshift_internal.table_design, redshift_internal.column_encoding, redshift_internal.key_constraint,
    redshift_internal.late_view, redshift_internal.materialized_view, redshift_internal.identity,
    pg_catalog.svv_table_info, pg_catalog.pg_table_def, pg_catalog.svv_all_columns, pg_catalog.svv_redshift_columns,
    pg_catalog.svv_columns, pg_catalog.svv_all_tables, pg_catalog.svv_redshift_tables, pg_catalog.svv_tables,
    pg_catalog.svv_all_schemas, pg_catalog.svv_redshift_schemas, pg_catalog.svv_mv_info, pg_catalog.stv_mv_info,
    pg_catalog.svv_external_schemas, pg_catalog.svv_external_tables, pg_catalog.svv_external_columns,
    pg_catalog.svv_relation_privileges, pg_catalog.svv_roles, pg_catalog.svv_user_grants, pg_catalog.pg_views, pg_catalog.pg_group
to public;
