-- Regular expressions: every match is replaced, $1 is the first group, and no match is an empty text.
alter function pg_catalog.regexp_replace(text, text, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer, integer) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_replace(text, text, text, integer, integer, text) rename to postgres_regexp_replace;
alter function pg_catalog.regexp_substr(text, text) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer, text) rename to postgres_regexp_substr;
alter function pg_catalog.regexp_substr(text, text, integer, integer, text, integer) rename to postgres_regexp_substr;

-- The parameters that say how to match, as PostgreSQL has them: its patterns know what PCRE's are mostly used for.
create function redshift_internal.match_flags(parameters text, known text) returns text language plpgsql immutable as $$
begin
    if translate(parameters, known, '') <> '' then
        raise exception using errcode = '22023', message = format('invalid regular expression parameters "%s"', parameters);
    end if;
    return translate(parameters, 'ep', '');
end $$;

create function pg_catalog.regexp_replace(value text, pattern text, replacement text, start integer, parameters text) returns text
language sql immutable as $$
    select pg_catalog.postgres_regexp_replace(
        value,
        pattern,
        pg_catalog.postgres_regexp_replace(
            replace(replacement, chr(92), chr(92) || chr(92)), '[$]([0-9])', chr(92) || chr(92) || chr(92) || '1', 'g'
        ),
        start,
        0,
        redshift_internal.match_flags(parameters, 'cip')
    )
$$;
create function pg_catalog.regexp_replace(value text, pattern text, replacement text, start integer) returns text
language sql immutable as $$ select regexp_replace(value, pattern, replacement, start, 'c') $$;
create function pg_catalog.regexp_replace(value text, pattern text, replacement text) returns text
language sql immutable as $$ select regexp_replace(value, pattern, replacement, 1) $$;
create function pg_catalog.regexp_replace(value text, pattern text) returns text
language sql immutable as $$ select regexp_replace(value, pattern, '', 1) $$;

create function redshift_internal.subexpression(pattern text, parameters text) returns integer language sql immutable as $$
    -- the first one where the parameters ask for it, and where there is one
    select case
        when parameters like '%e%' and pg_catalog.regexp_count(pattern, '(^|[^' || chr(92) || chr(92) || '])[(]([^?]|$)') > 0 then 1
        else 0
    end
$$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer, occurrence integer, parameters text) returns text
language sql immutable as $$
    select case
        when value is null or pattern is null then null
        else coalesce(
            pg_catalog.postgres_regexp_substr(
                value,
                pattern,
                start,
                occurrence,
                redshift_internal.match_flags(parameters, 'ceip'),
                redshift_internal.subexpression(pattern, parameters)
            ),
            ''
        )
    end
$$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer, occurrence integer) returns text
language sql immutable as $$ select regexp_substr(value, pattern, start, occurrence, 'c') $$;
create function pg_catalog.regexp_substr(value text, pattern text) returns text
language sql immutable as $$ select regexp_substr(value, pattern, 1, 1) $$;
create function pg_catalog.regexp_substr(value text, pattern text, start integer) returns text
language sql immutable as $$ select regexp_substr(value, pattern, start, 1) $$;

alter function pg_catalog.regexp_count(text, text, integer, text) rename to postgres_regexp_count;
alter function pg_catalog.regexp_instr(text, text, integer, integer, integer, text) rename to postgres_regexp_instr;
alter function pg_catalog.regexp_instr(text, text, integer, integer, integer, text, integer) rename to postgres_regexp_instr;
create function pg_catalog.regexp_count(value text, pattern text, start integer, parameters text) returns integer
language sql immutable as $$
    select pg_catalog.postgres_regexp_count(value, pattern, start, redshift_internal.match_flags(parameters, 'cip'))
$$;
create function pg_catalog.regexp_instr(
    value text, pattern text, start integer, occurrence integer, ends integer, parameters text
) returns integer language sql immutable as $$
    select pg_catalog.postgres_regexp_instr(
        value,
        pattern,
        start,
        occurrence,
        ends,
        redshift_internal.match_flags(parameters, 'ceip'),
        redshift_internal.subexpression(pattern, parameters)
    )
$$;
