-- VARBYTE (r_VARBYTE_type): bytes, kept as the hexadecimal digits that they are printed as. A file that is loaded or unloaded has the
-- same digits, and so has what redshift_connector sends for bytes.

create type pg_catalog.varbyte;
update pg_catalog.pg_type set oid = 6551 where typname = 'varbyte';  -- which Redshift's drivers know
create function pg_catalog.varbyte_in(cstring) returns varbyte language internal immutable strict as 'textin';
create function pg_catalog.varbyte_out(varbyte) returns cstring language internal immutable strict as 'textout';
create function pg_catalog.varbyte_recv(internal) returns varbyte language internal immutable strict as 'textrecv';
create function pg_catalog.varbyte_send(varbyte) returns bytea language internal immutable strict as 'textsend';
create function pg_catalog.varbyte_typmodin(cstring[]) returns integer language internal immutable strict as 'bittypmodin';
create type pg_catalog.varbyte (
    input = pg_catalog.varbyte_in, output = pg_catalog.varbyte_out, receive = pg_catalog.varbyte_recv, send = pg_catalog.varbyte_send,
    typmod_in = pg_catalog.varbyte_typmodin, internallength = variable, storage = extended
);
create cast (varbyte as bytea) without function;
create cast (bytea as varbyte) without function;

create function redshift_internal.digits(value varbyte) returns text language sql immutable strict as $$
    select convert_from(value::bytea, 'UTF8')
$$;
create function redshift_internal.of_digits(digits text) returns varbyte language sql immutable strict as $$
    select convert_to(digits, 'UTF8')::varbyte
$$;
create function redshift_internal.bytes(value varbyte) returns bytea language sql immutable strict as $$
    select decode(redshift_internal.digits(value), 'hex')
$$;
create function redshift_internal.of_bytes(bytes bytea) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_digits(encode(bytes, 'hex'))
$$;

-- A length, of a column or in a cast, which shortens as one to VARCHAR does.
create function redshift_internal.fit_varbyte(value varbyte, size integer, explicit boolean) returns varbyte
language plpgsql immutable strict as $$
declare
    digits text := lower(redshift_internal.digits(value));
begin
    if digits !~ '^([0-9a-f][0-9a-f])*$' then
        raise exception using errcode = '22P02', message = 'invalid hexadecimal digits for type varbyte';
    end if;
    if size < 0 or length(digits) <= 2 * size then
        return redshift_internal.of_digits(digits);
    end if;
    if not explicit then
        raise exception using errcode = '22001', message = format('value too long for type binary varying(%s)', size);
    end if;
    return redshift_internal.of_digits(left(digits, 2 * size));
end $$;
create cast (varbyte as varbyte) with function redshift_internal.fit_varbyte(varbyte, integer, boolean) as implicit;

-- Casts: texts in UTF-8, a CHAR with the blanks behind it, and whole numbers with all their bytes.
create function redshift_internal.as_varbyte(value text) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bytes(convert_to(value, 'UTF8'))
$$;
create function redshift_internal.as_varbyte(value varchar) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bytes(convert_to(value, 'UTF8'))
$$;
create function redshift_internal.as_varbyte(value bpchar) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bytes(bpcharsend(value))
$$;
create cast (text as varbyte) with function redshift_internal.as_varbyte(text) as assignment;
create cast (varchar as varbyte) with function redshift_internal.as_varbyte(varchar) as assignment;
create cast (bpchar as varbyte) with function redshift_internal.as_varbyte(bpchar) as assignment;
create function redshift_internal.text_of_varbyte(value varbyte) returns text language sql immutable strict as $$
    select convert_from(redshift_internal.bytes(value), 'UTF8')
$$;
create function redshift_internal.whole_number(value varbyte, size integer) returns bigint language plpgsql immutable strict as $$
declare
    digits text := redshift_internal.digits(value);
    number bigint;
begin
    if length(digits) > 2 * size then
        raise exception using errcode = '22003', message = format('a varbyte value of %s bytes is out of range', length(digits) / 2);
    end if;
    number := ('x' || lpad(digits, 16, '0'))::bit(64)::bigint;
    -- the first bit of all its bytes is the sign
    return case when size < 8 and number >= 1::bigint << (8 * size - 1) then number - (1::bigint << (8 * size)) else number end;
end $$;
do $$
declare
    type record;
    name text;
begin
    for type in select * from (values ('smallint', 2, 'int2send'), ('integer', 4, 'int4send'), ('bigint', 8, 'int8send')) as t (name, size, send) loop
        execute format($f$
            create function redshift_internal.as_varbyte(value %1$s) returns varbyte language sql immutable strict as $b$
                select redshift_internal.of_bytes(%3$s(value))
            $b$;
            create cast (%1$s as varbyte) with function redshift_internal.as_varbyte(%1$s);
            create function redshift_internal.from_varbyte_to_%1$s(value varbyte) returns %1$s language sql immutable strict as $b$
                select redshift_internal.whole_number(value, %2$s)::%1$s
            $b$;
            create cast (varbyte as %1$s) with function redshift_internal.from_varbyte_to_%1$s(varbyte);
        $f$, type.name, type.size, type.send);
    end loop;
    foreach name in array array['text', 'varchar', 'bpchar'] loop
        execute format($f$
            create function redshift_internal.from_varbyte_to_%1$s(value varbyte) returns %1$s language sql immutable strict as $b$
                select redshift_internal.text_of_varbyte(value)::%1$s
            $b$;
            create cast (varbyte as %1$s) with function redshift_internal.from_varbyte_to_%1$s(varbyte);
        $f$, name);
    end loop;
end $$;

-- r_VARBYTE_OPERATORS. Digits are in the order of their bytes.
create function redshift_internal.varbyte_compare(first varbyte, second varbyte) returns integer
language internal immutable strict as 'byteacmp';
do $$
declare
    operator record;
begin
    for operator in select * from (values
        ('=', 'equal', 'byteaeq', '=', '<>'), ('<>', 'unequal', 'byteane', '<>', '='), ('<', 'less', 'bytealt', '>', '>='),
        ('<=', 'less_equal', 'byteale', '>=', '>'), ('>', 'greater', 'byteagt', '<', '<='), ('>=', 'greater_equal', 'byteage', '<=', '<')
    ) as o (sign, name, called, commutator, negator) loop
        execute format($f$
            create function redshift_internal.varbyte_%2$s(first varbyte, second varbyte) returns boolean
            language internal immutable strict as '%3$s';
            create operator pg_catalog.%1$s (
                function = redshift_internal.varbyte_%2$s, leftarg = varbyte, rightarg = varbyte, commutator = operator(pg_catalog.%4$s),
                negator = operator(pg_catalog.%5$s) %6$s
            );
        $f$, operator.sign, operator.name, operator.called, operator.commutator, operator.negator,
            case operator.sign when '=' then ', restrict = eqsel, join = eqjoinsel, hashes, merges' else '' end);
    end loop;
end $$;
create operator class redshift_internal.varbyte_ops default for type varbyte using btree as
    operator 1 pg_catalog.<, operator 2 pg_catalog.<=, operator 3 pg_catalog.=, operator 4 pg_catalog.>=, operator 5 pg_catalog.>,
    function 1 redshift_internal.varbyte_compare(varbyte, varbyte);
create function redshift_internal.varbyte_hash(value varbyte) returns integer language internal immutable strict as 'hashvarlena';
create operator class redshift_internal.varbyte_ops default for type varbyte using hash as
    operator 1 pg_catalog.=, function 1 redshift_internal.varbyte_hash(varbyte);

create function redshift_internal.bits(value varbyte) returns bit varying language sql immutable strict as $$
    select ('x' || redshift_internal.digits(value))::bit varying
$$;
create function redshift_internal.of_bits(bits text) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_digits(coalesce(string_agg(lpad(to_hex(substr(bits, place, 8)::bit(8)::integer), 2, '0'), '' order by place), ''))
    from generate_series(1, length(bits), 8) as places (place)
$$;
create function redshift_internal.varbyte_join(first varbyte, second varbyte) returns varbyte language internal immutable strict as 'byteacat';
create function redshift_internal.varbyte_not(value varbyte) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bits((~ redshift_internal.bits(value))::text)
$$;
create operator pg_catalog.|| (function = redshift_internal.varbyte_join, leftarg = varbyte, rightarg = varbyte);
create operator pg_catalog.+ (function = redshift_internal.varbyte_join, leftarg = varbyte, rightarg = varbyte);
create operator pg_catalog.~ (function = redshift_internal.varbyte_not, rightarg = varbyte);
do $$
declare
    operator record;
begin
    for operator in select * from (values ('&', 'and'), ('|', 'or'), ('#', 'xor')) as o (sign, name) loop
        execute format($f$
            create function redshift_internal.varbyte_%2$s(first varbyte, second varbyte) returns varbyte
            language sql immutable strict as $b$
                select redshift_internal.of_bits((redshift_internal.bits(first) %1$s redshift_internal.bits(second))::text)
            $b$;
            create operator pg_catalog.%1$s (function = redshift_internal.varbyte_%2$s, leftarg = varbyte, rightarg = varbyte);
        $f$, operator.sign, operator.name);
    end loop;
end $$;

-- Functions: varbyte-functions.
create function redshift_internal.whole_digits(digits text, size integer) returns text language sql immutable strict as $$
    select lpad(digits, length(digits) + (size - length(digits) % size) % size, '0')
$$;
create function pg_catalog.to_varbyte(value text, format text) returns varbyte language plpgsql immutable strict as $$
begin
    case lower(format)
        when 'hex' then return redshift_internal.of_bytes(decode(redshift_internal.whole_digits(value, 2), 'hex'));
        when 'binary' then return redshift_internal.of_bits(redshift_internal.whole_digits(value, 8));
        when 'utf8', 'utf-8', 'utf_8' then return redshift_internal.as_varbyte(value);
        when 'base64' then return redshift_internal.of_bytes(decode(value, 'base64'));
        else raise exception using errcode = '22023', message = format('invalid format "%s" of a binary value', format);
    end case;
end $$;
create function pg_catalog.from_varbyte(value varbyte, format text) returns varchar language plpgsql immutable strict as $$
begin
    case lower(format)
        when 'hex' then return redshift_internal.digits(value);
        when 'binary' then return redshift_internal.bits(value)::text;
        when 'utf8', 'utf-8', 'utf_8' then return redshift_internal.text_of_varbyte(value);
        when 'base64' then return translate(encode(redshift_internal.bytes(value), 'base64'), chr(10), '');
        else raise exception using errcode = '22023', message = format('invalid format "%s" of a binary value', format);
    end case;
end $$;
create function pg_catalog.from_varbyte(value text, format text) returns varchar language sql immutable strict as $$
    select pg_catalog.from_varbyte(redshift_internal.as_varbyte(value), format)
$$;
create function pg_catalog.from_hex(digits text) returns varbyte language sql immutable strict as $$
    select pg_catalog.to_varbyte(digits, 'hex')
$$;
create function pg_catalog.to_hex(value varbyte) returns varchar language sql immutable strict as $$
    select redshift_internal.digits(value)
$$;
create function pg_catalog.getbit(value varbyte, place integer) returns integer language sql immutable strict as $$
    select (get_byte(redshift_internal.bytes(value), length(redshift_internal.digits(value)) / 2 - 1 - place / 8) >> place % 8) & 1
$$;
create function pg_catalog.concat(first varbyte, second varbyte) returns varbyte language sql immutable as $$ select first || second $$;
create function pg_catalog.substring(value varbyte, start integer) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bytes(substring(redshift_internal.bytes(value), start))
$$;
create function pg_catalog.substring(value varbyte, start integer, size integer) returns varbyte language sql immutable strict as $$
    select redshift_internal.of_bytes(substring(redshift_internal.bytes(value), start, size))
$$;
create function redshift_internal.least(first varbyte, second varbyte) returns varbyte language sql immutable strict as $$
    select case when second < first then second else first end
$$;
create function redshift_internal.greatest(first varbyte, second varbyte) returns varbyte language sql immutable strict as $$
    select case when second > first then second else first end
$$;
create aggregate pg_catalog.min(varbyte) (sfunc = redshift_internal.least, stype = varbyte);
create aggregate pg_catalog.max(varbyte) (sfunc = redshift_internal.greatest, stype = varbyte);
do $$
declare
    name text;
begin
    foreach name in array array['len', 'length', 'char_length', 'character_length', 'textlen', 'octet_length'] loop
        execute format($f$
            create function pg_catalog.%1$s(value varbyte) returns integer language sql immutable strict as $b$
                select octet_length(redshift_internal.digits(value)) / 2
            $b$;
        $f$, name);
    end loop;
end $$;
