-- Views of what was run: the endpoint leaves the latest statements in a parameter before a query reads one of these. Sources:
-- SYS_QUERY_HISTORY, SYS_QUERY_TEXT, STL_QUERY, STL_QUERYTEXT, SVL_QLOG, SVL_STATEMENTTEXT, STL_DDLTEXT,
-- STL_UTILITYTEXT, STV_RECENTS, STV_INFLIGHT, STV_SESSIONS, SVV_TRANSACTIONS and STV_LOCKS in "System tables and views reference". What the endpoint does not know is null.

create view redshift_internal.statement as
select
    s.query as query_id, u.oid::integer as user_id, s."user" as user_name, s.database as database_name, s.session as session_id,
    s.type as query_type, s.text as query_text, s.start as start_time, s."end" as end_time, s.status, s.error as error_message,
    (extract(epoch from coalesce(s."end", clock_timestamp() at time zone 'UTC') - s.start) * 1000000)::bigint as elapsed_time
from
    json_to_recordset(coalesce(nullif(current_setting('redshift.history', true), ''), '[]')::json) as s (
        query bigint, "user" text, database text, session integer, type text, text text, start timestamp, "end" timestamp,
        status text, error text
    )
left join pg_catalog.pg_roles u on u.rolname = s."user"
-- superusers see all of them, others their own
where s."user" = session_user or redshift_internal.is_superuser(session_user);

create view redshift_internal.statement_text as
select s.*, part.number as sequence, substr(s.query_text, 1 + part.number * 200, 200) as part
from redshift_internal.statement s
cross join lateral generate_series(0, greatest(length(s.query_text) - 1, 0) / 200) as part (number);

create view pg_catalog.sys_query_history as
select
    user_id, query_id, null::character(320) as query_label, null::bigint as transaction_id, session_id,
    database_name::character(128), query_type::character(32), status::character(10), false as result_cache_hit, start_time,
    end_time, elapsed_time, null::bigint as queue_time, elapsed_time as execution_time, error_message::varchar(512),
    null::bigint as returned_rows, null::bigint as returned_bytes, left(query_text, 4000)::varchar(4000) as query_text,
    null::character(256) as redshift_version, null::character(150) as usage_limit, null::varchar(32) as compute_type,
    null::bigint as compile_time, null::bigint as planning_time, null::bigint as lock_wait_time
from redshift_internal.statement;

create view pg_catalog.sys_query_text as
select user_id, query_id, null::bigint as transaction_id, session_id, start_time, sequence, part::varchar(200) as text
from redshift_internal.statement_text;

create view pg_catalog.stl_query as
select
    user_id as userid, query_id::integer as query, null::character(320) as label, null::bigint as xid, session_id as pid,
    database_name::character(32) as database, left(query_text, 4000)::varchar(4000) as querytxt, start_time as starttime,
    end_time as endtime, case when status in ('failed', 'canceled') then 1 else 0 end as aborted, 0 as insert_pristine,
    null::integer as concurrency_scaling_status
from redshift_internal.statement
where status <> 'running';

create view pg_catalog.stl_querytext as
select
    user_id as userid, null::bigint as xid, session_id as pid, query_id::integer as query, sequence, part::varchar(200) as text
from redshift_internal.statement_text;

create view pg_catalog.svl_qlog as
select
    user_id as userid, query_id::integer as query, null::bigint as xid, session_id as pid, start_time as starttime,
    end_time as endtime, elapsed_time as elapsed, case when status in ('failed', 'canceled') then 1 else 0 end as aborted,
    null::character(320) as label, left(query_text, 60)::varchar(60) as substring, null::integer as source_query,
    null::text as concurrency_scaling_status, null::integer as from_sp_call
from redshift_internal.statement
where status <> 'running';

create view pg_catalog.stv_recents as
select
    user_id as userid, case status when 'running' then 'Running' else 'Done' end::character(20) as status,
    start_time as starttime, elapsed_time as duration, user_name::character(50), database_name::character(50) as db_name,
    left(query_text, 600)::varchar(600) as query, case status when 'running' then session_id else -1 end as pid
from redshift_internal.statement;

create view pg_catalog.stv_inflight as
select
    user_id as userid, null::integer as slice, query_id::integer as query, null::character(320) as label, null::bigint as xid,
    session_id as pid, start_time as starttime, left(query_text, 100)::varchar(100) as text, 0 as suspended, 0 as insert_pristine,
    null::integer as concurrency_scaling_status
from redshift_internal.statement
where status = 'running';

create view pg_catalog.svl_statementtext as
select
    user_id as userid, null::bigint as xid, session_id as pid, null::varchar(320) as label, start_time as starttime,
    end_time as endtime, sequence, case query_type when 'DDL' then 'DDL' when 'UTILITY' then 'UTILITY' else 'QUERY' end::varchar(10)
        as type, part::varchar(200) as text
from redshift_internal.statement_text;

create view pg_catalog.stl_ddltext as
select userid, xid, pid, label, starttime, endtime, sequence, text from pg_catalog.svl_statementtext where type = 'DDL';

create view pg_catalog.stl_utilitytext as
select userid, xid, pid, label, starttime, endtime, sequence, text from pg_catalog.svl_statementtext where type = 'UTILITY';

-- SVV_TRANSACTIONS and STV_LOCKS: who holds, or waits for, which table
create view pg_catalog.svv_transactions as
select
    a.usename::text as txn_owner, a.datname::text as txn_db, a.backend_xid::text::bigint as xid, l.pid,
    a.xact_start at time zone 'UTC' as txn_start, l.mode as lock_mode, l.locktype as lockable_object_type,
    l.relation::integer as relation, l.granted
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid = l.pid
where
    a.backend_type = 'client backend'
    and l.locktype in ('relation', 'transactionid')
    and (l.relation is null or l.relation >= 16384);

create view pg_catalog.stv_locks as
select
    l.relation::integer as table_id, null::timestamp as last_commit, null::timestamp as last_update, a.backend_xid::text::bigint as lock_owner,
    l.pid as lock_owner_pid, a.xact_start at time zone 'UTC' as lock_owner_start,
    case when l.granted then 'Holding write lock' else 'Waiting for write lock' end::character(22) as lock_status
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.relation >= 16384 and l.mode not in ('AccessShareLock', 'RowShareLock');

create view pg_catalog.stv_sessions as
select
    backend_start at time zone 'UTC' as starttime, pid as process, usename::character(50) as user_name,
    datname::character(50) as db_name, 0 as timeout_sec
from pg_catalog.pg_stat_activity
where backend_type = 'client backend' and application_name <> 'redshift_aside';  -- isolation/aside.py

grant select on
    redshift_internal.statement, redshift_internal.statement_text, pg_catalog.sys_query_history, pg_catalog.sys_query_text,
    pg_catalog.stl_query, pg_catalog.stl_querytext, pg_catalog.svl_qlog, pg_catalog.stv_recents, pg_catalog.stv_inflight,
    pg_catalog.svl_statementtext, pg_catalog.stl_ddltext, pg_catalog.stl_utilitytext, pg_catalog.svv_transactions,
    pg_catalog.stv_locks, pg_catalog.stv_sessions
to public;
