{% macro iso_week(column) -%}
    {{ return(adapter.dispatch('iso_week')(column)) }}
{%- endmacro %}

{% macro default__iso_week(column) -%}
    {{ exceptions.raise_compiler_error("iso_week is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__iso_week(column) -%}
    cast(extract(week from {{ column }}) as integer)
{%- endmacro %}

{% macro redshift__iso_week(column) -%}
    cast(extract(week from {{ column }}) as integer)
{%- endmacro %}

{% macro athena__iso_week(column) -%}
    cast(week({{ column }}) as integer)
{%- endmacro %}
