{#- The first 60 bits of a text's MD5, as a bigint: a number that every engine works out alike. -#}
{% macro md5_number(expression) -%}
    {{ return(adapter.dispatch('md5_number')(expression)) }}
{%- endmacro %}

{% macro default__md5_number(expression) -%}
    {{ exceptions.raise_compiler_error("md5_number is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__md5_number(expression) -%}
    cast('0x' || substr(md5({{ expression }}), 1, 15) as bigint)
{%- endmacro %}

{% macro redshift__md5_number(expression) -%}
    strtol(substring(md5({{ expression }}), 1, 15), 16)
{%- endmacro %}

{% macro athena__md5_number(expression) -%}
    from_base(substr(lower(to_hex(md5(to_utf8({{ expression }})))), 1, 15), 16)
{%- endmacro %}
