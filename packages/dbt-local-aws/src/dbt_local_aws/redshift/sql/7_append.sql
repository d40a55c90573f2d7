-- ALTER TABLE … APPEND (r_ALTER_TABLE_APPEND) and MERGE … REMOVE DUPLICATES (r_MERGE).

create function redshift_internal.check_can_append(target regclass, source regclass) returns void
language plpgsql stable security definer as $$
declare
    wrong text;
begin
    if (
        select count(*) from pg_catalog.pg_class where oid in (target, source) and relkind = 'r' and relpersistence = 'p'
    ) < 2 then
        raise exception using errcode = '0A000', message = 'ALTER TABLE APPEND needs two permanent tables';
    end if;
    if (
        select count(distinct (
            distribution, redshift_internal.column_name(relid, distribution_key), interleaved,
            redshift_internal.shown_column_names(relid, sort_keys)
        ))
        from redshift_internal.table_design
        where relid in (target, source)
    ) > 1 then
        raise exception using
            errcode = '0A000', message = 'ALTER TABLE APPEND needs the same distribution and the same sort keys in both tables';
    end if;
    select t.attname into wrong
    from redshift_internal.relation_column t
    join redshift_internal.relation_column s on s.relid = source and s.attname = t.attname
    where
        t.relid = target
        and (t.full_type, t.attnotnull, t.encoding) is distinct from (s.full_type, s.attnotnull, s.encoding);
    if wrong is not null then
        raise exception using
            errcode = '0A000', message = format('ALTER TABLE APPEND: column "%s" differs between the tables', wrong);
    end if;
    if (select count(*) from pg_catalog.pg_attribute where attrelid in (target, source) and attidentity = 'a') > 1 then
        raise exception using errcode = '0A000', message = 'ALTER TABLE APPEND: an identity column cannot be appended';
    end if;
end $$;

create function redshift_internal.append(target text, source text, extra text) returns void language plpgsql as $$
declare
    moved text;
    missing text;
    surplus text;
begin
    if target::regclass = source::regclass then
        raise exception using errcode = '0A000', message = 'ALTER TABLE APPEND: source and target are the same table';
    end if;
    perform redshift_internal.check_owner(target::regclass);
    perform redshift_internal.check_owner(source::regclass);
    perform redshift_internal.check_can_append(target::regclass, source::regclass);
    select
        string_agg(quote_ident(t.attname), ', ') filter (where s.attname is not null and t.attname is not null),
        min(t.attname) filter (where s.attname is null),
        min(s.attname) filter (where t.attname is null)
    into moved, missing, surplus
    from (select * from pg_catalog.pg_attribute where attrelid = target::regclass and attnum > 0 and not attisdropped) t
    full join (select * from pg_catalog.pg_attribute where attrelid = source::regclass and attnum > 0 and not attisdropped) s
        on s.attname = t.attname;
    if missing is not null and extra is distinct from 'filltarget' then
        raise exception using
            errcode = '0A000',
            message = format('ALTER TABLE APPEND: target column "%s" is not in the source table', missing),
            hint = 'Use FILLTARGET.';
    end if;
    if surplus is not null and extra is distinct from 'ignoreextra' then
        raise exception using
            errcode = '0A000',
            message = format('ALTER TABLE APPEND: source column "%s" is not in the target table', surplus),
            hint = 'Use IGNOREEXTRA.';
    end if;
    execute format('insert into %1$s (%3$s) select %3$s from %2$s', target::regclass, source::regclass, moved);
    execute format('truncate %s', source::regclass);
end $$;

create function redshift_internal.check_can_merge(target text, source text, several boolean) returns void
language plpgsql stable as $$
begin
    if (
        select count(distinct columns)
        from (
            select count(*) as columns
            from pg_catalog.pg_attribute
            where attrelid in (target::regclass, source::regclass) and attnum > 0 and not attisdropped
            group by attrelid
        ) as counted
    ) > 1 then
        raise exception using
            errcode = '0A000', message = 'MERGE … REMOVE DUPLICATES needs the same number of columns in both tables';
    end if;
    if several then
        raise exception using errcode = '21000', message = 'Found multiple matches to update the same tuple.';
    end if;
end $$;
