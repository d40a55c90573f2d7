{#- Where the landing zone is, as the loader writes it: an absolute path, in which several slashes are one, or
    s3://bucket/prefix, in whose middle they are not. No slash at its end. -#}
{% macro landing_zone() -%}
    {%- set zone = env_var('LANDING_ZONE', '') or 'landing/sample' -%}
    {%- if '://' in zone -%}
        {%- set scheme, place = zone.split('://', 1) -%}
        {%- set bucket, prefix = (place ~ '/').split('/', 1) -%}
        {{ return((scheme ~ '://' ~ bucket ~ '/' ~ prefix.strip('/')).rstrip('/')) }}
    {%- else -%}
        {%- set path = zone if zone.startswith('/') else invocation_args_dict.project_dir ~ '/' ~ zone -%}
        {{ return(modules.re.sub('/+', '/', path).rstrip('/')) }}
    {%- endif -%}
{%- endmacro %}

{#- Stops where the engine could not read the zone, before anything is landed there. -#}
{% macro check_landing_zone() -%}
    {{ return(adapter.dispatch('check_landing_zone')()) }}
{%- endmacro %}

{% macro default__check_landing_zone() -%}
    {%- if not landing_zone().startswith('s3://') -%}
        {{ exceptions.raise_compiler_error(
            target.type ~ " reads a landing zone on S3 only, LANDING_ZONE is " ~ landing_zone() ~ ". Set LANDING_ZONE=s3://bucket/prefix."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Hive's DDL and Trino's SQL write quotes in texts in different ways, and a location stands in both. -#}
{% macro athena__check_landing_zone() -%}
    {%- do default__check_landing_zone() -%}
    {%- if "'" in landing_zone() or '\\' in landing_zone() -%}
        {{ exceptions.raise_compiler_error(
            "athena cannot register a landing zone with a quote or a backslash in its name, LANDING_ZONE is " ~ landing_zone() ~ ". Choose another prefix."
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__check_landing_zone() -%}
    {%- if '://' in landing_zone() -%}
        {{ exceptions.raise_compiler_error(
            "duckdb reads a landing zone on this machine only, LANDING_ZONE is " ~ landing_zone() ~ ". Name a folder; the source may be on S3."
        ) }}
    {%- endif -%}
{%- endmacro %}
