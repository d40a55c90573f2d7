{% macro epoch_ms_to_timestamp(column) -%}
    {{ return(adapter.dispatch('epoch_ms_to_timestamp')(column)) }}
{%- endmacro %}

{% macro default__epoch_ms_to_timestamp(column) -%}
    {{ exceptions.raise_compiler_error("epoch_ms_to_timestamp is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__epoch_ms_to_timestamp(column) -%}
    epoch_ms({{ column }})
{%- endmacro %}

{#- Integer arithmetic: `column / 1000.0 * interval '1 second'` goes through numeric and rounds. -#}
{% macro redshift__epoch_ms_to_timestamp(column) -%}
    dateadd(
        millisecond,
        cast(mod({{ column }}, 1000) as integer),
        timestamp '1970-01-01 00:00:00' + ({{ column }} / 1000) * interval '1 second'
    )
{%- endmacro %}

{#- from_unixtime gives a time zone, which tables refuse; Iceberg holds nothing but microseconds. -#}
{% macro athena__epoch_ms_to_timestamp(column) -%}
    cast(from_unixtime({{ column }} / 1e3) at time zone 'UTC' as timestamp(6))
{%- endmacro %}
