-- Data types. VARCHAR(n) and CHAR(n) count bytes on Redshift; PostgreSQL's casts to them are replaced.

create function redshift_internal.cut_varchar(value varchar, size integer, explicit boolean) returns varchar
language plpgsql immutable strict as $$
declare
    kept varchar := value;
begin
    if not explicit and octet_length(rtrim(value, ' ')) > size then
        raise exception using errcode = '22001', message = format('value too long for type character varying(%s)', size);
    end if;
    kept := left(value, size);
    while octet_length(kept) > size loop
        kept := left(kept, least(length(kept) - 1, greatest(size - octet_length(kept) + length(kept), 0)));
    end loop;
    return kept;
end $$;

create function redshift_internal.fit_varchar(value varchar, typmod integer, explicit boolean) returns varchar
language sql immutable as $$
    select case
        when octet_length(value) <= typmod - 4 then value
        else redshift_internal.cut_varchar(value, typmod - 4, explicit)
    end
$$;

create function redshift_internal.fit_char(value bpchar, typmod integer, explicit boolean) returns bpchar
language plpgsql immutable strict as $$
declare
    size integer := typmod - 4;
begin
    if octet_length(value) <> length(value::text) then
        raise exception using errcode = '22021', message = 'CHAR string contains invalid ASCII char';
    end if;
    if not explicit and length(value) > size then
        raise exception using errcode = '22001', message = format('value too long for type character(%s)', size);
    end if;
    return rpad(value::text, size);
end $$;

update pg_catalog.pg_cast
set castfunc = 'redshift_internal.fit_varchar(varchar, integer, boolean)'::regprocedure
where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;

update pg_catalog.pg_cast
set castfunc = 'redshift_internal.fit_char(bpchar, integer, boolean)'::regprocedure
where castsource = 'bpchar'::regtype and casttarget = 'bpchar'::regtype;

-- SUPER holds what JSON holds, and knows none of the operators that PostgreSQL has for it but to compare.
create domain pg_catalog.super as jsonb;
delete from pg_catalog.pg_operator
where oprleft = 'jsonb'::regtype and oprname not in ('=', '<>', '<', '>', '<=', '>=');

alter function pg_catalog.format_type(oid, integer) rename to postgres_format_type;
create function pg_catalog.format_type(type oid, modifier integer) returns text language sql stable as $$
    select case
        when type = 'pg_catalog.text'::regtype then 'character varying'
        else pg_catalog.postgres_format_type(type, modifier)
    end
$$;
