-- Primary, unique and foreign keys, which are recorded and not enforced.

create function redshift_internal.add_constraints(relation text, constraints json) returns void
language plpgsql security definer as $$
declare
    this regclass := relation::regclass;
    item json;
    columns smallint[];
    target regclass;
    referenced smallint[];
    chosen text;
    taken integer;
begin
    perform redshift_internal.check_owner(this);
    for item in select value from json_array_elements(constraints) loop
        columns := redshift_internal.column_numbers(this, item -> 'columns');
        target := (item ->> 'table')::regclass;
        referenced := null;
        if item ->> 'type' = 'p'
            and exists (select from redshift_internal.key_constraint k where k.relid = this and k.type = 'p')
        then
            raise exception using
                errcode = '42P16', message = format('multiple primary keys for table "%s" are not allowed', this);
        end if;
        if target is not null then
            referenced := case
                when item -> 'referenced' is not null and item ->> 'referenced' is not null
                    then redshift_internal.column_numbers(target, item -> 'referenced')
            end;
            select k.attnums into referenced
            from redshift_internal.key_constraint k
            where
                k.relid = target
                and k.type in ('p', 'u')
                and (
                    (referenced is null and k.type = 'p')
                    or (k.attnums @> referenced and k.attnums <@ referenced)
                )
            limit 1;
            if referenced is null then
                raise exception using
                    errcode = '42830',
                    message = format(
                        'there is no unique constraint matching given keys for referenced table "%s"',
                        (select relname from pg_catalog.pg_class where oid = target)
                    );
            end if;
        end if;
        chosen := coalesce(
            item ->> 'name',
            (select relname from pg_catalog.pg_class where oid = this)
            || case when item ->> 'type' = 'p' then '' else '_' || (item -> 'columns' ->> 0) end
            || case item ->> 'type' when 'p' then '_pkey' when 'u' then '_key' else '_fkey' end
        );
        -- as PostgreSQL does: t_a_key, t_a_key1, …
        select count(*) into taken
        from redshift_internal.key_constraint k
        where k.relid = this and rtrim(k.name, '0123456789') = chosen and item ->> 'name' is null;
        insert into redshift_internal.key_constraint
        values (this, chosen || coalesce(nullif(taken, 0)::text, ''), item ->> 'type', columns, target, referenced);
    end loop;
end $$;

create function redshift_internal.drop_constraint(relation text, constraint_name text) returns void
language plpgsql security definer as $$
begin
    perform redshift_internal.check_owner(relation::regclass);
    delete from redshift_internal.key_constraint where relid = relation::regclass and name = constraint_name;
    if not found then
        raise exception using errcode = '42704', message = format('constraint "%s" does not exist', constraint_name);
    end if;
end $$;
