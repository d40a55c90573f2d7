{% macro iso_weekday(column) -%}
    {{ return(adapter.dispatch('iso_weekday')(column)) }}
{%- endmacro %}

{% macro default__iso_weekday(column) -%}
    {{ exceptions.raise_compiler_error("iso_weekday is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(column) -%}
    cast(extract(isodow from {{ column }}) as integer)
{%- endmacro %}

{#- Redshift counts from Sunday = 0. -#}
{% macro redshift__iso_weekday(column) -%}
    cast(case extract(dow from {{ column }}) when 0 then 7 else extract(dow from {{ column }}) end as integer)
{%- endmacro %}

{% macro athena__iso_weekday(column) -%}
    cast(day_of_week({{ column }}) as integer)
{%- endmacro %}
