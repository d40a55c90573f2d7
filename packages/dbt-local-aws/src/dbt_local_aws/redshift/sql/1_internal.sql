-- The endpoint's own books: what Redshift would know of a relation and PostgreSQL does not.
-- Backslashes escape in this server's literals, as on Redshift: there is none in these files.

set allow_system_table_mods = on;

create schema redshift_internal;
grant usage on schema redshift_internal to public;
grant create on schema public to public;

create table redshift_internal.table_design (
    relid oid primary key,
    distribution text,
    distribution_key smallint,
    sort_keys smallint[] not null default '{}',
    interleaved boolean not null default false,
    backup boolean not null default true,
    created_at timestamp not null default clock_timestamp()
);

create table redshift_internal.column_encoding (
    relid oid not null,
    attnum smallint not null,
    encoding text not null,
    primary key (relid, attnum)
);

create table redshift_internal.key_constraint (
    relid oid not null,
    name text not null,
    type char(1) not null,
    attnums smallint[] not null,
    referenced_relid oid,
    referenced_attnums smallint[],
    primary key (relid, name)
);

create table redshift_internal.late_view (
    relid oid primary key,
    query text not null,
    statement text not null
);

create table redshift_internal.materialized_view (
    relid oid primary key,
    storage_relid oid not null,
    statement text not null,
    query text not null,
    auto_refresh boolean not null
);

create table redshift_internal.identity (
    roleid oid primary key,
    kind text not null check (kind in ('user', 'group', 'role'))
);

create table redshift_internal.query_step (
    table_id oid not null,
    step_name text not null,
    start_time timestamp not null,
    user_id oid not null
);

-- Raises an error that was found outside of PostgreSQL.
create function redshift_internal.fail(code text, message text, detail text, hint text) returns void language plpgsql as $$
begin
    raise exception using
        errcode = code,
        message = message,
        detail = coalesce(detail, ''),
        hint = coalesce(hint, '');
end $$;

create function redshift_internal.column_number(relation regclass, column_name text) returns smallint
language plpgsql stable as $$
declare
    number smallint;
begin
    select attnum into number
    from pg_catalog.pg_attribute
    where attrelid = relation and attname = column_name and attnum > 0 and not attisdropped;
    if number is null then
        raise exception using errcode = '42703', message = format('column "%s" named in key does not exist', column_name);
    end if;
    return number;
end $$;

create function redshift_internal.column_numbers(relation regclass, column_names json) returns smallint[]
language sql stable as $$
    select coalesce(array_agg(redshift_internal.column_number(relation, value) order by ordinality), '{}')
    from json_array_elements_text(column_names) with ordinality
$$;

-- Redshift analyses a table after COPY and CREATE TABLE AS, and others by itself. PostgreSQL does so from time to time, and
-- only what is committed: a join of tables that were filled just now would be planned as if they had no rows.
create function redshift_internal.note_insert() returns trigger language plpgsql security definer as $$
begin
    insert into redshift_internal.query_step values (tg_relid, 'insert', clock_timestamp(), (select oid from pg_catalog.pg_roles where rolname = redshift_internal.caller()));
    execute format('analyze %s', tg_relid::regclass);
    return null;
end $$;

-- Only who may alter a relation may write down how it is designed. Whose a relation is that is younger than the transaction's
-- snapshot cannot be seen.
create function redshift_internal.check_owner(relation regclass) returns void language plpgsql stable as $$
begin
    if not coalesce(
        pg_has_role(
            redshift_internal.caller(), (select relowner from pg_catalog.pg_class where oid = relation), 'usage'
        ),
        false
    ) then
        raise exception using
            errcode = '42501',
            message = format('must be owner of relation %s', (select relname from pg_catalog.pg_class where oid = relation));
    end if;
end $$;

-- A SUPER value has no order and no hash.
create function redshift_internal.check_key_types(relation regclass) returns void language plpgsql stable as $$
declare
    found_name text;
begin
    select a.attname into found_name
    from pg_catalog.pg_attribute a
    join redshift_internal.table_design d on d.relid = a.attrelid
    where
        a.attrelid = relation
        and a.atttypid = to_regtype('pg_catalog.super')
        and (a.attnum = d.distribution_key or a.attnum = any (d.sort_keys));
    if found_name is not null then
        raise exception using
            errcode = '0A000', message = format('column "%s" of type super cannot be a DISTKEY or a SORTKEY', found_name);
    end if;
end $$;

-- Redshift's types that PostgreSQL has not, which are made later.
create function redshift_internal.own_types(variadic names text[]) returns regtype[] language sql stable as $$
    select array(select to_regtype('pg_catalog.' || name) from unnest(names) as listed (name))
$$;

-- "Compression encodings": which types each of them can hold.
create function redshift_internal.can_encode(encoding text, type regtype) returns boolean language sql stable as $$
    select type = any (
        case
            when encoding in ('raw', 'auto') then array[type]
            when encoding = 'az64'
                then '{int2, int4, int8, numeric, date, timestamp, timestamptz, time, timetz}'::regtype[]
            when encoding = 'bytedict'
                then '{int2, int4, int8, numeric, float4, float8, bpchar, varchar, date, timestamp, timestamptz}'::regtype[]
            when encoding = 'delta' then '{int2, int4, int8, date, timestamp, numeric}'::regtype[]
            when encoding = 'delta32k' then '{int4, int8, date, timestamp, numeric}'::regtype[]
            when encoding = 'lzo'
                then array_cat(
                    '{int2, int4, int8, numeric, bpchar, varchar, date, timestamp, timestamptz, time, timetz}'::regtype[],
                    redshift_internal.own_types('super', 'varbyte')
                )
            when encoding = 'mostly8' then '{int2, int4, int8, numeric}'::regtype[]
            when encoding = 'mostly16' then '{int4, int8, numeric}'::regtype[]
            when encoding = 'mostly32' then '{int8, numeric}'::regtype[]
            when encoding in ('text255', 'text32k') then '{varchar}'::regtype[]
            when encoding in ('runlength', 'zstd')
                then array_append(
                    '{int2, int4, int8, numeric, float4, float8, bool, bpchar, varchar, date, timestamp, timestamptz, time, timetz}'
                    ::regtype[],
                    to_regtype('pg_catalog.super')
                )
        end
    )
$$;

create function redshift_internal.record_table(relation text, design json) returns void
language plpgsql security definer as $$
declare
    relid regclass := relation::regclass;
begin
    -- create table if not exists: somebody else has made it since this transaction took its snapshot, and written it down
    if not exists (select from pg_catalog.pg_class where oid = relid) then
        return;
    end if;
    perform redshift_internal.check_owner(relid);
    insert into redshift_internal.table_design (relid, distribution, distribution_key, sort_keys, interleaved, backup)
    select
        relid,
        coalesce(design ->> 'distribution', case when design ->> 'distribution_key' is not null then 'key' end),
        case
            when design ->> 'distribution_key' is not null
                then redshift_internal.column_number(relid, design ->> 'distribution_key')
        end,
        redshift_internal.column_numbers(relid, design -> 'sort_keys'),
        (design ->> 'interleaved')::boolean,
        (design ->> 'backup')::boolean
    on conflict do nothing;  -- create table if not exists
    if found and design ->> 'like' is not null then
        perform redshift_internal.take_design_over(relid, (design ->> 'like')::regclass);
    end if;
    perform redshift_internal.check_key_types(relid);
    perform redshift_internal.record_encodings(relation, design -> 'encodings');
    perform redshift_internal.add_constraints(relation, design -> 'constraints');
    if not exists (select from pg_catalog.pg_trigger where tgrelid = relid and tgname = 'redshift_note_insert') then
        execute format(
            'create trigger redshift_note_insert after insert on %s execute function redshift_internal.note_insert()', relid
        );
        execute format('analyze %s', relid);
    end if;
end $$;

create function redshift_internal.record_encodings(relation text, encodings json) returns void
language plpgsql security definer as $$
declare
    wrong text;
begin
    perform redshift_internal.check_owner(relation::regclass);
    select key into wrong
    from json_each_text(encodings)
    join pg_catalog.pg_attribute a on a.attrelid = relation::regclass and a.attname = key
    where not coalesce(redshift_internal.can_encode(value, a.atttypid::regtype), false);
    if wrong is not null then
        raise exception using
            errcode = '42611', message = format('invalid encoding type specified for column "%s"', wrong);
    end if;
    insert into redshift_internal.column_encoding
    select relation::regclass, redshift_internal.column_number(relation::regclass, key), value
    from json_each_text(encodings)
    on conflict (relid, attnum) do update set encoding = excluded.encoding;
end $$;

create function redshift_internal.alter_design(relation text, changes json) returns void
language plpgsql security definer as $$
begin
    perform redshift_internal.check_owner(relation::regclass);
    update redshift_internal.table_design set
        distribution = coalesce(changes ->> 'distribution', distribution),
        distribution_key = case
            when changes ->> 'distribution' is null then distribution_key
            when changes ->> 'distribution_key' is not null
                then redshift_internal.column_number(relation::regclass, changes ->> 'distribution_key')
        end,
        sort_keys = case
            when (changes ->> 'sorts')::boolean
                then redshift_internal.column_numbers(relation::regclass, changes -> 'sort_keys')
            else sort_keys
        end,
        interleaved = interleaved and not (changes ->> 'sorts')::boolean
    where relid = relation::regclass;
    if not found then
        raise exception using errcode = '42809', message = format('"%s" is not a table', relation);
    end if;
end $$;

-- Only the size of a VARCHAR can be altered, and not of every one.
create function redshift_internal.check_can_resize(relation text, column_name text) returns void
language plpgsql stable security definer as $$
declare
    item pg_catalog.pg_attribute;
    reason text;
begin
    select * into item from pg_catalog.pg_attribute where attrelid = relation::regclass and attname = column_name;
    if item.atttypid is distinct from 'pg_catalog.varchar'::regtype then
        reason := 'only the size of VARCHAR columns can be altered';
    elsif item.atthasdef then
        reason := 'it has a default value';
    elsif exists (
        select from redshift_internal.key_constraint k where k.relid = item.attrelid and item.attnum = any (k.attnums)
    ) then
        reason := 'it has a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint';
    elsif exists (
        select from redshift_internal.column_encoding e
        where
            e.relid = item.attrelid
            and e.attnum = item.attnum
            and e.encoding in ('bytedict', 'runlength', 'text255', 'text32k')
    ) then
        reason := 'its encoding does not allow it';
    end if;
    if reason is not null then
        raise exception using
            errcode = '0A000', message = format('cannot alter type of column "%s": %s', column_name, reason);
    end if;
end $$;

create function redshift_internal.check_not_null(relation text, column_name text) returns void language plpgsql stable as $$
begin
    if exists (
        select from pg_catalog.pg_attribute
        where attrelid = relation::regclass and attname = column_name and not attnotnull
    ) then
        raise exception using
            errcode = '42P16', message = format('cannot add a primary key to the nullable column "%s"', column_name);
    end if;
end $$;

create function redshift_internal.check_is_no_key(relation text, column_name text) returns void
language plpgsql stable security definer as $$
begin
    if exists (
        select from redshift_internal.table_design d
        join pg_catalog.pg_attribute a on a.attrelid = d.relid and a.attname = column_name
        where d.relid = relation::regclass and (a.attnum = d.distribution_key or a.attnum = any (d.sort_keys))
    ) then
        raise exception using
            errcode = '0A000',
            message = format('cannot drop column "%s": it is the distribution key or a sort key', column_name);
    end if;
end $$;

-- A query's text has no length here, and VARCHAR has one on Redshift: what CREATE TABLE AS made is settled to the longest.
create function redshift_internal.settle_types(relation text) returns void
language plpgsql security definer set allow_system_table_mods = on as $$
declare
    item record;
    too_long boolean;
begin
    perform redshift_internal.check_owner(relation::regclass);
    -- whoever made a view would have its functions run by this one's owner
    if (select relkind from pg_catalog.pg_class where oid = relation::regclass) <> 'r' then
        raise exception using errcode = '42809', message = format('%s is not a table', relation);
    end if;
    for item in
        select attname, pg_catalog.format_type(atttypid, atttypmod) as type_name
        from pg_catalog.pg_attribute
        where
            attrelid = relation::regclass
            and attnum > 0
            and atttypid <> all (
                array_cat(
                    '{int2, int4, int8, numeric, float4, float8, bool, text, bpchar, varchar, date, timestamp, timestamptz, time, timetz}'
                    ::regtype[],
                    redshift_internal.own_types('super', 'intervaly2m', 'intervald2s', 'varbyte')
                )
            )
    loop
        raise exception using
            errcode = '0A000', message = format('Column "%s" has unsupported type "%s".', item.attname, item.type_name);
    end loop;
    for item in
        select attname
        from pg_catalog.pg_attribute
        where
            attrelid = relation::regclass
            and attnum > 0
            and not attisdropped
            and (
                atttypid = 'pg_catalog.text'::regtype
                or (atttypid in ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype) and atttypmod = -1)
            )
    loop
        execute format('select exists (select from %s where octet_length(%I) > 65535)', relation::regclass, item.attname)
            into too_long;
        if too_long then
            raise exception using errcode = '22001', message = 'value too long for type character varying(65535)';
        end if;
        update pg_catalog.pg_attribute
        set
            atttypid = 'pg_catalog.varchar'::regtype,
            atttypmod = 65535 + 4
        where attrelid = relation::regclass and attname = item.attname;
    end loop;
end $$;

create function redshift_internal.parameter(name text) returns text language plpgsql stable as $$
declare
    value text := current_setting('redshift.' || name, true);
begin
    return coalesce(value, '');
end $$;

-- What a translation has to know of the database: its views, with the query of a late-binding one, and the users' functions.
create function redshift_internal.names() returns table (kind text, schema_name text, name text, query text, visible boolean)
language sql stable as $$
    select
        case when m.relid is null then 'view' else 'materialized view' end,
        n.nspname, c.relname, v.query, pg_catalog.pg_table_is_visible(c.oid)
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join redshift_internal.late_view v on v.relid = c.oid
    left join redshift_internal.materialized_view m on m.relid = c.oid
    where c.relkind = 'v' and c.oid >= 16384 and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal')
    union all
    select 'function', n.nspname, p.proname, null, true
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.oid >= 16384 and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal')
$$;

create function redshift_internal.forget_dropped() returns event_trigger language plpgsql security definer as $$
declare
    item record;
begin
    for item in select objid from pg_event_trigger_dropped_objects() where classid = 'pg_catalog.pg_class'::regclass and objsubid = 0 loop
        delete from redshift_internal.table_design where relid = item.objid;
        delete from redshift_internal.column_encoding where relid = item.objid;
        delete from redshift_internal.key_constraint where relid = item.objid or referenced_relid = item.objid;
        delete from redshift_internal.late_view where relid = item.objid;
        delete from redshift_internal.materialized_view where relid = item.objid;
    end loop;
end $$;

create event trigger redshift_forget_dropped on sql_drop execute function redshift_internal.forget_dropped();
