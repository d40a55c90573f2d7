{#- The schemas are `sparkify`, `stedi` and their staging on every engine, not `main_sparkify` as dbt's default would have it. In an
    environment that has a name they begin with it: `ada_sparkify`. The sources' YAML, which knows no macros, says the same. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ environment_prefix() ~ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{#- The beginning of all schemas' names: nothing in production, which is what runs without an ENVIRONMENT. The name may be so long
    that the longest schema's fits what engines take, and Redshift keeps what begins with pg for itself
    (docs.aws.amazon.com/redshift/latest/dg/r_CREATE_SCHEMA.html). scripts/lakehouse/environment.py has the same rules. -#}
{% macro environment_prefix() -%}
    {%- set name = env_var('ENVIRONMENT', '') -%}
    {%- if name and (
        not modules.re.fullmatch('[a-z][a-z0-9]*(_[a-z0-9]+)*', name) or name | length > 32
        or name.split('_')[0] in ('pg', 'dbt') or name in ('production', 'prod')
    ) -%}
        {{ exceptions.raise_compiler_error(
            "ENVIRONMENT is " ~ tojson(name) ~ ": lower case letters and digits, with single underscores between them, at most 32; "
            ~ "not pg_… nor dbt_…. Production has no name: leave it empty."
        ) }}
    {%- endif -%}
    {%- if name and target.type == 'athena' and not (target.s3_data_dir or '').endswith('/environments/' ~ name) -%}
        {{ exceptions.raise_compiler_error(
            "the s3_data_dir of profiles.yml must end with /environments/" ~ name ~ ", so that environments never share a place: it is "
            ~ (target.s3_data_dir or 'not there') ~ ". Copy it anew from profiles.example.yml."
        ) }}
    {%- endif -%}
    {{ return(name ~ '_' if name else '') }}
{%- endmacro %}
