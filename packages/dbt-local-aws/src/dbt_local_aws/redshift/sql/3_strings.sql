-- Functions of texts that Redshift has and PostgreSQL has not, or has otherwise. Source: "SQL functions reference"
-- of the Amazon Redshift Database Developer Guide.

-- SUBSTRING knows places and no patterns, and parts are counted from the left only.
alter function pg_catalog.substring(text, text) rename to postgres_substring;
alter function pg_catalog.substring(text, text, text) rename to postgres_substring;
alter function pg_catalog.split_part(text, text, integer) rename to postgres_split_part;
create function pg_catalog.split_part(value text, delimiter text, part integer) returns text language sql immutable as $$
    select case
        when part > 0 then pg_catalog.postgres_split_part(value, delimiter, part)
        when part is not null then redshift_internal.fail('22023', 'field position must be greater than zero', '', '')::text
    end
$$;

create function pg_catalog.len(value text) returns integer language sql immutable as $$ select length(value) $$;
create function pg_catalog.len(value bpchar) returns integer language sql immutable as $$ select length(value) $$;
create function pg_catalog.charindex(part text, value text) returns integer language sql immutable as $$
    select strpos(value, part)
$$;
create function pg_catalog.replicate(value text, times integer) returns text language sql immutable as $$
    select repeat(value, times)
$$;

-- two arguments, and null if one of them is
alter function pg_catalog.concat(variadic "any") rename to postgres_concat;
create function pg_catalog.concat(first text, second text) returns text language sql immutable as $$ select first || second $$;

create function pg_catalog.sha2(value text, bits integer) returns varchar language sql immutable as $$
    select case bits
        when 224 then encode(sha224(convert_to(value, 'UTF8')), 'hex')
        when 0 then encode(sha256(convert_to(value, 'UTF8')), 'hex')
        when 256 then encode(sha256(convert_to(value, 'UTF8')), 'hex')
        when 384 then encode(sha384(convert_to(value, 'UTF8')), 'hex')
        when 512 then encode(sha512(convert_to(value, 'UTF8')), 'hex')
    end
$$;

create function pg_catalog.crc32(value text) returns varchar language sql immutable as $$
    select lpad(to_hex(crc32c(convert_to(value, 'UTF8'))), 8, '0')
$$;

create function redshift_internal.rotate_left(word bigint, bits integer) returns bigint language sql immutable as $$
    select ((word << bits) | (word >> (32 - bits))) & 4294967295
$$;

-- SHA-1, which PostgreSQL has in an extension only.
create function pg_catalog.func_sha1(value text) returns varchar language plpgsql immutable strict as $$
declare
    message bytea := convert_to(value, 'UTF8');
    bits bigint := length(message) * 8;
    h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
    w bigint[];
    v bigint[];
    f bigint;
    k bigint;
    next bigint;
    digest text := '';
begin
    message := message || decode('80', 'hex');
    message := message || decode(repeat('00', ((120 - length(message) % 64) % 64)), 'hex') || int8send(bits);
    for block in 0 .. length(message) / 64 - 1 loop
        for t in 0 .. 15 loop
            w[t] := 0;
            for b in 0 .. 3 loop
                w[t] := (w[t] << 8) | get_byte(message, block * 64 + t * 4 + b);
            end loop;
        end loop;
        for t in 16 .. 79 loop
            w[t] := redshift_internal.rotate_left(w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16], 1);
        end loop;
        v := h;
        for t in 0 .. 79 loop
            if t < 20 then
                f := (v[2] & v[3]) | ((v[2] # 4294967295) & v[4]);
                k := 1518500249;
            elsif t < 40 then
                f := v[2] # v[3] # v[4];
                k := 1859775393;
            elsif t < 60 then
                f := (v[2] & v[3]) | (v[2] & v[4]) | (v[3] & v[4]);
                k := 2400959708;
            else
                f := v[2] # v[3] # v[4];
                k := 3395469782;
            end if;
            next := (redshift_internal.rotate_left(v[1], 5) + f + v[5] + k + w[t]) & 4294967295;
            v := array[next, v[1], redshift_internal.rotate_left(v[2], 30), v[3], v[4]];
        end loop;
        for i in 1 .. 5 loop
            h[i] := (h[i] + v[i]) & 4294967295;
        end loop;
    end loop;
    for i in 1 .. 5 loop
        digest := digest || lpad(to_hex(h[i]), 8, '0');
    end loop;
    return digest;
end $$;
create function pg_catalog.sha1(value text) returns varchar language sql immutable as $$ select func_sha1(value) $$;
create function pg_catalog.sha(value text) returns varchar language sql immutable as $$ select func_sha1(value) $$;

create function pg_catalog.strtol(digits text, base integer) returns bigint language plpgsql immutable strict as $$
declare
    alphabet constant text := '0123456789abcdefghijklmnopqrstuvwxyz';
    rest text := lower(trim(digits));
    sign bigint := 1;
    value bigint := 0;
    digit integer;
begin
    if left(rest, 1) in ('-', '+') then
        sign := case left(rest, 1) when '-' then -1 else 1 end;
        rest := substr(rest, 2);
    end if;
    if base = 16 and left(rest, 2) = '0x' then
        rest := substr(rest, 3);
    end if;
    for position in 1 .. length(rest) loop
        digit := strpos(left(alphabet, base), substr(rest, position, 1)) - 1;
        if digit < 0 then
            raise exception using
                errcode = '22P02', message = format('The input %s is not valid to be converted to base %s', digits, base);
        end if;
        value := value * base + digit;
    end loop;
    return sign * value;
end $$;
