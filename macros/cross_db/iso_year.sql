{% macro iso_year(column) -%}
    {{ return(adapter.dispatch('iso_year')(column)) }}
{%- endmacro %}

{% macro default__iso_year(column) -%}
    {{ exceptions.raise_compiler_error("iso_year is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__iso_year(column) -%}
    cast(extract(isoyear from {{ column }}) as integer)
{%- endmacro %}

{#- Redshift has no such date part: a week belongs to the year of its Thursday, and date_trunc gives its Monday. -#}
{% macro redshift__iso_year(column) -%}
    cast(extract(year from dateadd(day, 3, date_trunc('week', {{ column }}))) as integer)
{%- endmacro %}

{% macro athena__iso_year(column) -%}
    cast(year_of_week({{ column }}) as integer)
{%- endmacro %}
