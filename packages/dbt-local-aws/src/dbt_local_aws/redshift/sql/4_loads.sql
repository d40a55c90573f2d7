-- What COPY leaves behind, whether its transaction was committed or not.

create sequence redshift_internal.query_id start 100;

create table redshift_internal.load (
    query_id bigint primary key,
    user_id oid not null,
    transaction_id bigint not null,
    session_id integer not null,
    database_name text not null,
    status text not null,
    table_id oid not null,
    table_name text not null,
    data_source text not null,
    file_format text not null,
    start_time timestamp not null,
    end_time timestamp not null,
    loaded_rows bigint not null,
    loaded_bytes bigint not null,
    source_file_count integer not null,
    error_count integer not null,
    query_text text not null
);

create table redshift_internal.load_file (
    query_id bigint not null,
    file_name text not null,
    bytes_scanned bigint not null,
    lines_scanned bigint not null,
    loaded_at timestamp not null
);

create table redshift_internal.load_error (
    query_id bigint not null,
    file_name text not null,
    line_number bigint not null,
    column_name text,
    column_type text,
    column_length text,
    position integer not null,
    raw_line text not null,
    raw_value text,
    error_code integer not null,
    error_message text not null
);

-- A superuser sees every load, others see their own.
create view redshift_internal.visible_load as
select * from redshift_internal.load
where
    user_id = (select oid from pg_catalog.pg_roles where rolname = session_user)
    or redshift_internal.is_superuser(session_user);

create view pg_catalog.sys_load_history as
select
    user_id::integer, query_id, transaction_id, session_id, database_name::varchar(64), status::varchar(10), table_name::varchar(127),
    start_time, end_time, (extract(epoch from end_time - start_time) * 1000000)::bigint as duration, data_source::varchar(1024),
    file_format::varchar(13), loaded_rows, loaded_bytes, source_file_count, loaded_bytes as source_file_bytes, error_count
from redshift_internal.visible_load;

create view pg_catalog.sys_load_detail as
select
    load.user_id::integer, load.query_id, file.file_name::varchar(256), file.bytes_scanned, file.lines_scanned, load.session_id,
    load.database_name::varchar(64), file.loaded_at as record_time
from redshift_internal.visible_load as load
join redshift_internal.load_file as file using (query_id);

create view pg_catalog.sys_load_error_detail as
select
    load.user_id::integer, load.query_id, load.transaction_id, load.session_id, load.database_name::varchar(64),
    load.table_id::integer, load.start_time, error.file_name::varchar(256), error.line_number, error.column_name::varchar(127),
    error.column_type::varchar(10), error.column_length::varchar(10), error.position, error.error_code,
    error.error_message::varchar(512)
from redshift_internal.visible_load as load
join redshift_internal.load_error as error using (query_id);

create view pg_catalog.stl_load_errors as
select
    load.user_id::integer as userid, load.table_id::integer as tbl, load.start_time as starttime, load.session_id as session,
    load.query_id::integer as query, error.file_name::varchar(256) as filename, error.line_number,
    error.column_name::varchar(127) as colname, error.column_type::varchar(10) as type, error.column_length::varchar(10) as col_length,
    error.position, left(error.raw_line, 1024)::varchar(1024) as raw_line, left(error.raw_value, 1024)::varchar(1024) as raw_field_value,
    error.error_code as err_code, left(error.error_message, 100)::varchar(100) as err_reason
from redshift_internal.visible_load as load
join redshift_internal.load_error as error using (query_id);

create view pg_catalog.stl_load_commits as
select
    load.user_id::integer as userid, load.query_id::integer as query, file.file_name::varchar(256) as filename,
    file.lines_scanned::integer as lines_scanned, file.loaded_at as curtime, 1 as status
from redshift_internal.visible_load as load
join redshift_internal.load_file as file using (query_id)
where load.status = 'completed';

-- Only inserts leave a step here. It is what tells when a table was written last.
create view pg_catalog.sys_query_detail as
select user_id::integer, table_id::integer, step_name::varchar(30), start_time
from redshift_internal.query_step;

grant select on
    redshift_internal.visible_load, redshift_internal.load_file, redshift_internal.load_error,
    pg_catalog.sys_load_history, pg_catalog.sys_load_detail, pg_catalog.sys_load_error_detail, pg_catalog.stl_load_errors,
    pg_catalog.stl_load_commits, pg_catalog.sys_query_detail
to public;
