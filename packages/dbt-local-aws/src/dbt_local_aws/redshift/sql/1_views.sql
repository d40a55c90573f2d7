-- Views in the endpoint's books: replaced, late-binding and materialized ones.

-- How many columns a view has; none where there is no such view, or where it binds late.
create function redshift_internal.columns_of_view(relation text) returns integer language sql stable security definer as $$
    select coalesce(
        (select c.relnatts::integer
        from pg_catalog.pg_class c
        where
            c.oid = to_regclass(relation)
            and not exists (select from redshift_internal.late_view v where v.relid = c.oid)),
        0
    )
$$;

create function redshift_internal.settle_replaced_view(relation text) returns void language plpgsql security definer as $$
declare
    before integer := current_setting('redshift.replaced_view')::integer;
begin
    perform redshift_internal.check_owner(relation::regclass);
    delete from redshift_internal.late_view where relid = relation::regclass;
    if before not in (0, redshift_internal.columns_of_view(relation)) then
        raise exception using errcode = '42P16', message = 'cannot change number of columns in view';
    end if;
end $$;

create function redshift_internal.record_late_view(relation text, query text, statement text) returns void
language plpgsql security definer as $$
begin
    perform redshift_internal.check_owner(relation::regclass);
    insert into redshift_internal.late_view values (relation::regclass, query, statement)
    on conflict (relid) do update set query = excluded.query, statement = excluded.statement;
end $$;

create function redshift_internal.record_materialized_view(
    relation text, storage text, statement text, query text, auto_refresh boolean
) returns void language plpgsql security definer as $$
begin
    perform redshift_internal.check_owner(relation::regclass);
    perform redshift_internal.check_owner(storage::regclass);
    insert into redshift_internal.materialized_view
    values (relation::regclass, storage::regclass, statement, query, auto_refresh);
end $$;

create function redshift_internal.materialized_view_of(relation text) returns redshift_internal.materialized_view
language plpgsql stable security definer as $$
declare
    found_view redshift_internal.materialized_view;
begin
    select * into found_view from redshift_internal.materialized_view where relid = relation::regclass;
    if found_view is null then
        raise exception using errcode = '42809', message = format('%s is not a materialized view', relation);
    end if;
    return found_view;
end $$;

create function redshift_internal.refresh_materialized_view(relation text) returns void language plpgsql as $$
declare
    item redshift_internal.materialized_view := redshift_internal.materialized_view_of(relation);
begin
    execute format('delete from %s', item.storage_relid::regclass);
    execute format('insert into %s %s', item.storage_relid::regclass, item.query);
end $$;

create function redshift_internal.alter_materialized_view(relation text, refreshes boolean) returns void
language plpgsql security definer as $$
declare
    item redshift_internal.materialized_view := redshift_internal.materialized_view_of(relation);
begin
    perform redshift_internal.check_owner(item.relid::regclass);
    update redshift_internal.materialized_view set auto_refresh = refreshes where relid = item.relid;
end $$;

create function redshift_internal.drop_materialized_view(relation text, if_exists boolean, cascades boolean) returns void
language plpgsql as $$
declare
    item redshift_internal.materialized_view;
begin
    if if_exists and to_regclass(relation) is null then
        return;
    end if;
    item := redshift_internal.materialized_view_of(relation);
    execute format('drop view %s %s', item.relid::regclass, case when cascades then 'cascade' else '' end);
    execute format('drop table %s', item.storage_relid::regclass);
end $$;
