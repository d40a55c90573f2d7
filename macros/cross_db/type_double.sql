{% macro type_double() -%}
    {{ return(adapter.dispatch('type_double')()) }}
{%- endmacro %}

{% macro default__type_double() -%}
    {{ exceptions.raise_compiler_error("type_double is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__type_double() -%}
    double precision
{%- endmacro %}

{% macro redshift__type_double() -%}
    double precision
{%- endmacro %}

{#- Athena documents this name alone: docs.aws.amazon.com/athena/latest/ug/data-types.html -#}
{% macro athena__type_double() -%}
    double
{%- endmacro %}
