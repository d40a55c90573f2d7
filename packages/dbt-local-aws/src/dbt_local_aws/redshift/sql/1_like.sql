-- r_CREATE_TABLE_NEW: a table that is made LIKE another one inherits its distribution style, its sort keys and BACKUP, and neither
-- its primary key nor its foreign keys. That its encodings come along, too, is inferred. Columns are the same by name.

create function redshift_internal.inherited_columns(child regclass, parent regclass, attnums smallint[]) returns smallint[]
language sql stable as $$
    select coalesce(array_agg(c.attnum order by inherited.position), '{}')
    from unnest(attnums) with ordinality as inherited (attnum, position)
    join pg_catalog.pg_attribute p on p.attrelid = parent and p.attnum = inherited.attnum
    join pg_catalog.pg_attribute c on c.attrelid = child and c.attname = p.attname
$$;

create function redshift_internal.take_design_over(child regclass, parent regclass) returns void
language plpgsql security definer as $$
begin
    perform redshift_internal.check_owner(child);
    update redshift_internal.table_design as made
    set
        distribution = original.distribution,
        distribution_key = (redshift_internal.inherited_columns(child, parent, array[original.distribution_key]))[1],
        sort_keys = redshift_internal.inherited_columns(child, parent, original.sort_keys),
        interleaved = original.interleaved,
        backup = original.backup
    from redshift_internal.table_design as original
    where made.relid = child and original.relid = parent;
    insert into redshift_internal.column_encoding
    select child, c.attnum, e.encoding
    from redshift_internal.column_encoding e
    join pg_catalog.pg_attribute p on p.attrelid = e.relid and p.attnum = e.attnum
    join pg_catalog.pg_attribute c on c.attrelid = child and c.attname = p.attname
    where e.relid = parent
    on conflict do nothing;
end $$;
