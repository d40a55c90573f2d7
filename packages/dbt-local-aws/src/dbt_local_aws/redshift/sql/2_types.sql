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
    if octet_length(value::text) <> length(value::text) then  -- neither counts the blanks behind it
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

-- A boolean has no text, whoever asks for one. The planner puts the body in the place of the cast, and runs what has no
-- arguments at once: a query fails that would cast, also where it finds no row.
create function redshift_internal.refuse_text_of_boolean() returns text language plpgsql immutable as $$
begin
    raise exception using errcode = '42846', message = 'cannot cast type boolean to character varying';
end $$;
create function redshift_internal.text_of_boolean(value boolean) returns text language sql immutable as $$
    select redshift_internal.refuse_text_of_boolean()
$$;
update pg_catalog.pg_cast
set castfunc = 'redshift_internal.text_of_boolean(boolean)'::regprocedure, castcontext = 'e'
where castsource = 'boolean'::regtype and casttarget in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);

-- A view is not planned when it is made.
create function redshift_internal.check_new_view() returns event_trigger language plpgsql security definer as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands() as command
        join pg_catalog.pg_rewrite as definition on definition.ev_class = command.objid
        join pg_catalog.pg_depend as dependency
            on dependency.classid = 'pg_catalog.pg_rewrite'::regclass and dependency.objid = definition.oid
        where
            dependency.refclassid = 'pg_catalog.pg_proc'::regclass
            and dependency.refobjid = 'redshift_internal.text_of_boolean(boolean)'::regprocedure
    ) then
        perform redshift_internal.refuse_text_of_boolean();
    end if;
end $$;
create event trigger check_new_view on ddl_command_end when tag in ('CREATE VIEW')
execute function redshift_internal.check_new_view();

-- Only what has a text can be joined to one: PostgreSQL takes whatever is not an array, and arrays for themselves.
update pg_catalog.pg_operator set oprname = '||||'
where
    oprname = '||'
    and oprcode in (
        'pg_catalog.textanycat'::regproc, 'pg_catalog.anytextcat'::regproc, 'pg_catalog.array_append'::regproc,
        'pg_catalog.array_prepend'::regproc, 'pg_catalog.array_cat'::regproc
    );
do $$
declare
    type text;
begin
    foreach type in array array[
        'smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'date', 'time', 'timetz', 'timestamp', 'timestamptz',
        'interval', 'oid', 'regclass'
    ] loop
        execute format($f$
            create function redshift_internal.join_texts(first text, second %1$s) returns text language sql stable as $b$
                select first || second::text
            $b$;
            create function redshift_internal.join_texts(first %1$s, second text) returns text language sql stable as $b$
                select first::text || second
            $b$;
            create operator pg_catalog.|| (function = redshift_internal.join_texts, leftarg = text, rightarg = %1$s);
            create operator pg_catalog.|| (function = redshift_internal.join_texts, leftarg = %1$s, rightarg = text);
        $f$, type);
    end loop;
end $$;

-- Beside a text a decimal is compared as a decimal and another number as a text; LIKE takes numbers and times for texts.
do $$
declare
    name text;
    type text;
    place integer := 0;
begin
    foreach name in array array['=', '<>', '<', '<=', '>', '>='] loop
        place := place + 1;
        foreach type in array array['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric'] loop
            execute format(
                $f$
                    create function redshift_internal.compare_%1$s(first %3$s, second text) returns boolean language sql immutable as $b$
                        select first::%4$s %2$s second::%4$s
                    $b$;
                    create function redshift_internal.compare_%1$s(first text, second %3$s) returns boolean language sql immutable as $b$
                        select first::%4$s %2$s second::%4$s
                    $b$;
                    create operator pg_catalog.%2$s (function = redshift_internal.compare_%1$s, leftarg = %3$s, rightarg = text);
                    create operator pg_catalog.%2$s (function = redshift_internal.compare_%1$s, leftarg = text, rightarg = %3$s);
                $f$,
                place, name, type, case type when 'numeric' then type else 'text' end
            );
        end loop;
    end loop;
    foreach name in array array['~~', '!~~', '~~*', '!~~*'] loop
        place := place + 1;
        foreach type in array array[
            'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'date', 'timestamp', 'timestamptz'
        ] loop
            execute format(
                $f$
                    create function redshift_internal.compare_%1$s(first %3$s, second text) returns boolean language sql stable as $b$
                        select first::text %2$s second
                    $b$;
                    create operator pg_catalog.%2$s (function = redshift_internal.compare_%1$s, leftarg = %3$s, rightarg = text);
                $f$,
                place, name, type
            );
        end loop;
    end loop;
end $$;

-- SUPER (3_super.sql) knows none of the operators that PostgreSQL has for JSON but to compare.
delete from pg_catalog.pg_operator
where oprleft = 'jsonb'::regtype and oprname not in ('=', '<>', '<', '>', '<=', '>=');
