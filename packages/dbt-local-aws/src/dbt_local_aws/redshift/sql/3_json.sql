-- Functions of JSON in texts that Redshift has and PostgreSQL has not, or has otherwise. Source: "SQL functions reference"
-- of the Amazon Redshift Database Developer Guide.

create function pg_catalog.is_valid_json(value text) returns boolean language sql immutable as $$
    select case when value is json object or value is json array then true when value is not null then false end
$$;
create function pg_catalog.is_valid_json_array(value text) returns boolean language sql immutable as $$
    select case when value is json array then true when value is not null then false end
$$;
create function pg_catalog.can_json_parse(value text) returns boolean language sql immutable as $$
    select case when value is json then true when value is not null then false end
$$;

create function redshift_internal.checked_json(value text, null_if_invalid boolean) returns json
language plpgsql immutable as $$
begin
    if value is json then
        return value::json;
    end if;
    if value is not null and not null_if_invalid then
        raise exception using errcode = 'XX000', message = 'JSON parsing error', detail = format('invalid json object %s', value);
    end if;
    return null;
end $$;

create function redshift_internal.json_path_text(value text, null_if_invalid boolean, variadic path text[]) returns varchar
language sql immutable as $$
    -- a path that leads nowhere gives an empty text, not null
    select case
        when redshift_internal.checked_json(value, null_if_invalid) is not null
            then coalesce(json_extract_path_text(redshift_internal.checked_json(value, null_if_invalid), variadic path), '')
    end
$$;

create function pg_catalog.json_extract_array_element_text(value text, index integer, null_if_invalid boolean default false)
returns varchar language sql immutable as $$
    select case
        when redshift_internal.checked_json(value, null_if_invalid) is not null
            then coalesce(redshift_internal.checked_json(value, null_if_invalid) ->> index, '')
    end
$$;
create function pg_catalog.json_array_length(value text, null_if_invalid boolean default false) returns integer
language sql immutable as $$
    select json_array_length(redshift_internal.checked_json(value, null_if_invalid))
$$;
