-- What UNLOAD leaves behind, whether its transaction was committed or not: the files stay, too.

create table redshift_internal.unload (
    query_id bigint primary key,
    user_id oid not null,
    transaction_id bigint not null,
    session_id integer not null,
    database_name text not null,
    location text not null,
    file_format text not null,
    compression_type text not null,
    start_time timestamp not null,
    end_time timestamp not null,
    query_text text not null
);

create table redshift_internal.unload_file (
    query_id bigint not null,
    file_name text not null,
    size bigint not null,
    line_count bigint not null,
    row_count bigint not null
);

-- A superuser sees every UNLOAD, others see their own.
create view redshift_internal.visible_unload as
select * from redshift_internal.unload
where
    user_id = (select oid from pg_catalog.pg_roles where rolname = session_user)
    or redshift_internal.is_superuser(session_user);

create view pg_catalog.sys_unload_history as
select
    unload.user_id::integer, unload.query_id, unload.transaction_id, unload.session_id, unload.database_name::varchar(64),
    'completed'::varchar(10) as status, unload.start_time, unload.end_time,
    (extract(epoch from unload.end_time - unload.start_time) * 1000000)::bigint as duration, unload.file_format::varchar(10),
    unload.compression_type::varchar(10), unload.location::varchar(1024) as unloaded_location, coalesce(sum(file.row_count), 0)::bigint as unloaded_rows,
    count(file.file_name) as unloaded_files_count, coalesce(sum(file.size), 0)::bigint as unloaded_files_size, ''::varchar(1024) as error_message
from redshift_internal.visible_unload as unload
left join redshift_internal.unload_file as file using (query_id)
group by
    unload.user_id, unload.query_id, unload.transaction_id, unload.session_id, unload.database_name, unload.start_time, unload.end_time,
    unload.file_format, unload.compression_type, unload.location;

create view pg_catalog.sys_unload_detail as
select unload.user_id::integer, unload.query_id, file.file_name::varchar(1280), file.size as transfer_size, unload.file_format::varchar(10)
from redshift_internal.visible_unload as unload
join redshift_internal.unload_file as file using (query_id);

create view pg_catalog.stl_unload_log as
select
    unload.user_id::integer as userid, unload.query_id::integer as query,
    coalesce(postgres_substring(file.file_name, '([0-9]{4})_part_[0-9]{2}[^/]*$')::integer, 0) as slice, unload.session_id as pid,
    file.file_name::varchar(1280) as path, unload.start_time, unload.end_time, file.line_count, file.size as transfer_size,
    unload.file_format::varchar(10)
from redshift_internal.visible_unload as unload
join redshift_internal.unload_file as file using (query_id);

create function pg_catalog.pg_last_unload_id() returns integer language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_unload_id', true), '')::integer, -1)
$$;
create function pg_catalog.pg_last_unload_count() returns bigint language sql stable as $$
    select coalesce(nullif(current_setting('redshift.last_unload_count', true), '')::bigint, 0)
$$;

grant select on
    redshift_internal.visible_unload, redshift_internal.unload_file, pg_catalog.sys_unload_history, pg_catalog.sys_unload_detail,
    pg_catalog.stl_unload_log
to public;
