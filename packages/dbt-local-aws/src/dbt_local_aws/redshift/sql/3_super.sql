-- SUPER: a value that JSON can say, kept as its text without blanks, which is how it is printed. A number that has an
-- exponent is a floating-point number, any other one a decimal ("Querying semistructured data", IS_FLOAT, IS_DECIMAL).

create type pg_catalog.super;
update pg_catalog.pg_type set oid = 4000 where typname = 'super';  -- which Redshift's drivers know
create function pg_catalog.super_in(cstring) returns super language internal immutable strict as 'json_in';
create function pg_catalog.super_out(super) returns cstring language internal immutable strict as 'json_out';
create function pg_catalog.super_recv(internal) returns super language internal immutable strict as 'json_recv';
create function pg_catalog.super_send(super) returns bytea language internal immutable strict as 'json_send';
create type pg_catalog.super (
    input = pg_catalog.super_in, output = pg_catalog.super_out, receive = pg_catalog.super_recv, send = pg_catalog.super_send,
    internallength = variable, storage = extended
);
create cast (super as json) without function;
create cast (json as super) without function;

create function redshift_internal.compact(value json) returns text language sql immutable strict as $$
    select pg_catalog.postgres_regexp_replace(value::text, $re$("(?:[^"\\]|\\.)*")|\s+$re$, $re$\1$re$, 'g')
$$;
create function redshift_internal.super_text(value super) returns text language sql immutable strict as $$
    select redshift_internal.compact(value::json)
$$;
-- What a string says, what a number or a boolean is called; nothing of an array, an object or a null.
create function redshift_internal.scalar_text(value super) returns text language sql immutable strict as $$
    select case when json_typeof(value::json) in ('string', 'number', 'boolean') then json_extract_path_text(json_build_array(value::json), '0') end
$$;
create function redshift_internal.is_on(parameter text, by_default text) returns boolean language sql stable as $$
    select lower(coalesce(nullif(current_setting('redshift.' || parameter, true), ''), by_default)) in ('on', 'true', 't', 'yes', '1')
$$;

-- Casts to SUPER: dates and times have none ("Limitations").
create function redshift_internal.float_text(value double precision) returns text language plpgsql immutable strict as $$
declare
    exact numeric := value::text::numeric;
    exponent integer := case when exact = 0 then 0 else floor(log(abs(exact))) end;
begin
    return trim_scale(exact / 10::numeric ^ exponent)::text || 'e' || case when exponent < 0 then '' else '+' end || exponent;
end $$;
do $$
declare
    type text;
begin
    foreach type in array array['smallint', 'integer', 'bigint', 'numeric', 'boolean', 'text', 'varchar'] loop
        execute format($f$
            create function redshift_internal.as_super(value %1$s) returns super language sql immutable strict as $b$
                select to_json(value)::super
            $b$;
            create cast (%1$s as super) with function redshift_internal.as_super(%1$s) as assignment;
        $f$, type);
    end loop;
    foreach type in array array['real', 'double precision'] loop
        execute format($f$
            create function redshift_internal.as_super(value %1$s) returns super language sql immutable strict as $b$
                select redshift_internal.float_text(value)::json::super
            $b$;
            create cast (%1$s as super) with function redshift_internal.as_super(%1$s) as assignment;
        $f$, type);
    end loop;
end $$;
create function redshift_internal.as_super(value bpchar) returns super language sql immutable strict as $$
    select to_json(rtrim(value))::super
$$;
create cast (bpchar as super) with function redshift_internal.as_super(bpchar) as assignment;
create function redshift_internal.any_as_super(value anyelement) returns super language plpgsql immutable strict as $$
declare
    converted super;
begin
    execute 'select cast($1 as super)' into converted using value;
    return converted;
end $$;

-- Casts from SUPER: what does not fit is null ("Lax semantics"), unless cast_super_null_on_error is off.
do $$
declare
    type text;
begin
    foreach type in array array[
        'smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean', 'date', 'timestamp', 'timestamptz', 'time', 'timetz'
    ] loop
        execute format($f$
            create function redshift_internal.super_as(value super, of_type %1$s) returns %1$s language plpgsql stable as $b$
            declare
                said text := redshift_internal.scalar_text(value);
            begin
                case json_typeof(value::json)
                    when 'string' then return said::%1$s;
                    when 'boolean' then return said::boolean::%1$s;
                    when 'number' then
                        if said ~ '[eE]' then
                            return said::double precision::%1$s;
                        elsif said ~ '[.]' then
                            return said::numeric::%1$s;
                        elsif length(said) < 10 then
                            return said::integer::%1$s;
                        end if;
                        return said::numeric::%1$s;
                    when 'null' then return null;
                    else raise exception using
                        errcode = '22P02', message = format('cannot cast a SUPER %%s to type %1$s', json_typeof(value::json));
                end case;
            exception when data_exception or cannot_coerce or case_not_found then
                if value is null or redshift_internal.is_on('cast_super_null_on_error', 'on') then
                    return null;
                end if;
                raise;
            end $b$;
            create function redshift_internal.from_super_to_%2$s(value super) returns %1$s language sql stable as $b$
                select redshift_internal.super_as(value, null::%1$s)
            $b$;
            create cast (super as %1$s) with function redshift_internal.from_super_to_%2$s(super) as assignment;
        $f$, type, replace(type, ' ', '_'));
    end loop;
    foreach type in array array['text', 'varchar', 'bpchar'] loop
        execute format($f$
            create function redshift_internal.from_super_to_%1$s(value super) returns %1$s language sql immutable as $b$
                select redshift_internal.scalar_text(value)::%1$s
            $b$;
            create cast (super as %1$s) with function redshift_internal.from_super_to_%1$s(super) as assignment;
        $f$, type);
    end loop;
end $$;

-- "Order by": boolean, number, string, array, object. Strings are compared without the blanks behind them.
create function redshift_internal.super_rank(value super) returns integer language sql immutable strict as $$
    select array_position(array['boolean', 'number', 'string', 'array', 'object', 'null'], json_typeof(value::json))
$$;
create function redshift_internal.super_compare(first super, second super) returns integer language plpgsql immutable strict as $$
declare
    rank integer := redshift_internal.super_rank(first);
    a text := redshift_internal.scalar_text(first);
    b text := redshift_internal.scalar_text(second);
begin
    if rank <> redshift_internal.super_rank(second) then
        return sign(rank - redshift_internal.super_rank(second));
    end if;
    return case rank
        when 2 then sign(a::numeric - b::numeric)
        when 3 then bttextcmp(rtrim(a, ' '), rtrim(b, ' '))
        when 1 then btboolcmp(a::boolean, b::boolean)
        else jsonb_cmp(first::json::text::jsonb, second::json::text::jsonb)
    end;
end $$;
-- Only values of one kind are smaller or larger than each other ("Dynamic and static typing").
create function redshift_internal.super_order(first super, second super) returns integer language sql immutable as $$
    select case
        when redshift_internal.super_rank(first) = redshift_internal.super_rank(second)
            then redshift_internal.super_compare(first, second)
    end
$$;
do $$
declare
    operator record;
    type text;
begin
    -- those by which rows are sorted and grouped have no place in the search path: an expression finds the others
    for operator in select * from (values ('=', 'equal'), ('<', 'less'), ('<=', 'less_equal'), ('>', 'greater'), ('>=', 'greater_equal')) as o (sign, name) loop
        execute format($f$
            create function redshift_internal.super_%2$s(first super, second super) returns boolean language sql immutable strict as $b$
                select redshift_internal.super_compare(first, second) %1$s 0
            $b$;
            create operator redshift_internal.%1$s (function = redshift_internal.super_%2$s, leftarg = super, rightarg = super);
        $f$, operator.sign, operator.name);
    end loop;
    for operator in select * from (values
        ('=', 'is', 'super_compare'), ('<>', 'is_not', 'super_compare'), ('<', 'below', 'super_order'), ('<=', 'not_above', 'super_order'),
        ('>', 'above', 'super_order'), ('>=', 'not_below', 'super_order')
    ) as o (sign, name, compared) loop
        execute format($f$
            create function redshift_internal.super_%2$s(first super, second anyelement) returns boolean language sql immutable as $b$
                select redshift_internal.%3$s(first, redshift_internal.any_as_super(second)) %1$s 0
            $b$;
            create operator pg_catalog.%1$s (function = redshift_internal.super_%2$s, leftarg = super, rightarg = anyelement);
            create function redshift_internal.super_%2$s(first super, second text) returns boolean language sql immutable as $b$
                select redshift_internal.%3$s(first, redshift_internal.as_super(second)) %1$s 0
            $b$;
            create operator pg_catalog.%1$s (function = redshift_internal.super_%2$s, leftarg = super, rightarg = text);
        $f$, operator.sign, operator.name, operator.compared);
        foreach type in array array['text', 'smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean'] loop
            execute format($f$
                create function redshift_internal.super_%2$s(first %4$s, second super) returns boolean language sql immutable as $b$
                    select redshift_internal.%3$s(redshift_internal.as_super(first), second) %1$s 0
                $b$;
                create operator pg_catalog.%1$s (function = redshift_internal.super_%2$s, leftarg = %4$s, rightarg = super);
            $f$, operator.sign, operator.name, operator.compared, type);
        end loop;
    end loop;
end $$;
create operator class redshift_internal.super_ops default for type super using btree as
    operator 1 redshift_internal.<, operator 2 redshift_internal.<=, operator 3 redshift_internal.=, operator 4 redshift_internal.>=,
    operator 5 redshift_internal.>, function 1 redshift_internal.super_compare(super, super);

-- Navigation: null where there is nothing, unless navigate_super_null_on_error is off ("Lax semantics").
create function redshift_internal.navigated(value json, place text) returns super language plpgsql stable as $$
begin
    if value is null and not redshift_internal.is_on('navigate_super_null_on_error', 'on') then
        raise exception using errcode = '22023', message = format('navigation to %s of a SUPER value that does not have it', place);
    end if;
    return case when json_typeof(value) <> 'null' then value::super end;
end $$;
create function redshift_internal.attribute(value super, folded text, written text) returns super language sql stable strict as $$
    select redshift_internal.navigated(
        case when json_typeof(value::json) = 'object' then json_object_field(
            value::json,
            case when redshift_internal.is_on('enable_case_sensitive_super_attribute', 'off') then written else folded end
        ) end,
        'the attribute ' || quote_ident(written)
    )
$$;
create function redshift_internal.element(value super, place bigint) returns super language sql stable strict as $$
    select redshift_internal.navigated(
        case when json_typeof(value::json) = 'array' and place >= 0 then json_array_element(value::json, place::integer) end,
        format('element %s', place)
    )
$$;
create function redshift_internal.elements(value super) returns table (element super, place bigint) language sql immutable as $$
    select item::super, ordinality - 1
    from json_array_elements(case when json_typeof(value::json) = 'array' then value::json end) with ordinality as items (item, ordinality)
$$;
create function redshift_internal.members(value super) returns table (member super, attribute varchar) language sql immutable as $$
    select item::super, key::varchar
    from json_each(case when json_typeof(value::json) = 'object' then value::json end) as items (key, item)
$$;

-- Functions.
create function pg_catalog.json_parse(value text) returns super language plpgsql stable strict as $$
begin
    if value is json with unique keys then
        return redshift_internal.compact(value::json)::json::super;
    end if;
    if redshift_internal.is_on('parse_super_null_on_error', 'off') then
        return null;
    end if;
    raise exception using errcode = '22P02', message = 'Parsing failed. The input is no valid JSON, or an object of it names an attribute twice.';
end $$;
create function redshift_internal.json_serialize(value super) returns varchar language sql immutable as $$
    select redshift_internal.super_text(value)
$$;
create function pg_catalog.json_serialize_to_varbyte(value super) returns varbyte language sql immutable as $$
    select redshift_internal.as_varbyte(redshift_internal.super_text(value))
$$;
create function pg_catalog.json_size(value super) returns integer language sql immutable as $$
    select octet_length(redshift_internal.super_text(value))
$$;
create function pg_catalog.json_typeof(value super) returns varchar language sql immutable as $$ select json_typeof(value::json) $$;
create function pg_catalog.get_array_length(value super) returns bigint language sql immutable as $$
    select case when json_typeof(value::json) = 'array' then json_array_length(value::json) end
$$;
create function redshift_internal."array"(variadic items super[]) returns super language sql immutable as $$
    select ('[' || coalesce((
        select string_agg(coalesce(redshift_internal.super_text(item), 'null'), ',' order by place)
        from unnest(items) with ordinality as listed (item, place)
    ), '') || ']')::json::super
$$;
create function pg_catalog.array_concat(first super, second super) returns super language sql immutable strict as $$
    select redshift_internal."array"(variadic
        array(
            select element from redshift_internal.elements(first) union all select element from redshift_internal.elements(second)
        )
    )
$$;
create function pg_catalog.array_flatten(value super) returns super language sql immutable strict as $$
    select redshift_internal."array"(variadic array(
        select coalesce(inside.element, outside.element)
        from redshift_internal.elements(value) as outside
        left join lateral redshift_internal.elements(outside.element) as inside on true
        where json_typeof(outside.element::json) <> 'array' or inside.place is not null
    ))
$$;
create function pg_catalog.subarray(value super, start integer, size integer) returns super language sql immutable strict as $$
    select redshift_internal."array"(variadic array(
        select element from redshift_internal.elements(value) where place >= start and place < start + size
    ))
$$;
create function pg_catalog.split_to_array(value text, delimiter text default ',') returns super language sql immutable strict as $$
    select redshift_internal."array"(variadic array(
        select redshift_internal.as_super(part) from unnest(string_to_array(value, delimiter)) as parts (part)
    ))
$$;

-- "Types of introspection": all of them are false for a null.
create function redshift_internal.number_said(value super) returns text language sql immutable as $$
    select case when json_typeof(value::json) = 'number' then value::json::text end
$$;
create function pg_catalog.is_array(value super) returns boolean language sql immutable as $$
    select coalesce(json_typeof(value::json) = 'array', false)
$$;
create function pg_catalog.is_object(value super) returns boolean language sql immutable as $$
    select coalesce(json_typeof(value::json) = 'object', false)
$$;
create function pg_catalog.is_scalar(value super) returns boolean language sql immutable as $$
    select coalesce(json_typeof(value::json) in ('string', 'number', 'boolean'), false)
$$;
create function pg_catalog.is_boolean(value super) returns boolean language sql immutable as $$
    select coalesce(json_typeof(value::json) = 'boolean', false)
$$;
create function pg_catalog.is_varchar(value super) returns boolean language sql immutable as $$
    select coalesce(json_typeof(value::json) = 'string', false)
$$;
create function pg_catalog.is_char(value super) returns boolean language sql immutable as $$
    select pg_catalog.is_varchar(value) and redshift_internal.scalar_text(value) !~ $re$[^\x01-\x7f]$re$
$$;
create function pg_catalog.is_float(value super) returns boolean language sql immutable as $$
    select coalesce(redshift_internal.number_said(value) ~ '[eE]', false)
$$;
create function pg_catalog.is_decimal(value super) returns boolean language sql immutable as $$
    select coalesce(redshift_internal.number_said(value) !~ '[eE]', false)
$$;
do $$
declare
    kind record;
begin
    for kind in select * from (values ('is_smallint', 15), ('is_integer', 31), ('is_bigint', 63)) as kinds (name, bits) loop
        execute format($f$
            create function pg_catalog.%1$s(value super) returns boolean language sql immutable as $b$
                select case
                    when redshift_internal.number_said(value) !~ '[.eE]'
                        then redshift_internal.number_said(value)::numeric between -(2::numeric ^ %2$s) and 2::numeric ^ %2$s - 1
                    else false
                end
            $b$;
        $f$, kind.name, kind.bits);
    end loop;
end $$;
create function pg_catalog.decimal_scale(value super) returns integer language sql immutable as $$
    select case when pg_catalog.is_decimal(value) then scale(redshift_internal.number_said(value)::numeric) end
$$;
create function pg_catalog.decimal_precision(value super) returns integer language sql immutable as $$
    select case when pg_catalog.is_decimal(value) then length(ltrim(translate(redshift_internal.number_said(value), '-.', ''), '0')) end
$$;
