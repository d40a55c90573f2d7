{#- When a build begins, UTC, by one clock on all engines. Each adapter's own is its engine's: DuckDB's is local time, Redshift's that of the
    user's time zone. -#}
{% macro build_time() -%}
    cast({{ dbt.string_literal(run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f')) }} as timestamp)
{%- endmacro %}

{% macro duckdb__snapshot_get_time() -%}
    {{ build_time() }}
{%- endmacro %}

{% macro redshift__snapshot_get_time() -%}
    {{ build_time() }}
{%- endmacro %}

{% macro athena__snapshot_get_time() -%}
    cast({{ dbt.string_literal(run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f')) }} as timestamp(6))
{%- endmacro %}
