-- The catalogue as psql is shown it: without the endpoint's own schema, with what PostgreSQL's has no more, and Redshift's users.

create view redshift_internal.psql_pg_namespace as
select * from pg_catalog.pg_namespace where nspname <> 'redshift_internal';

create view redshift_internal.psql_pg_class as
select c.*, false as relhasoids
from pg_catalog.pg_class c
where c.relnamespace <> 'redshift_internal'::regnamespace;

create view redshift_internal.psql_pg_proc as
select p.*, p.prokind = 'a' as proisagg, p.prokind = 'w' as proiswindow from pg_catalog.pg_proc p;

create view redshift_internal.psql_pg_roles as select * from redshift_internal.database_user;

create view redshift_internal.psql_pg_database as select * from pg_catalog.pg_database where not datistemplate;

create view redshift_internal.psql_pg_trigger as
select * from pg_catalog.pg_trigger where tgfoid <> 'redshift_internal.note_insert()'::regprocedure;

grant select on
    redshift_internal.psql_pg_namespace, redshift_internal.psql_pg_class, redshift_internal.psql_pg_proc,
    redshift_internal.psql_pg_roles, redshift_internal.psql_pg_database, redshift_internal.psql_pg_trigger
to public;
