{#- DuckDB reads in place: a view over the zone's files. Files that the ledger does not name are leftovers of a load. -#}
{% macro duckdb__register_landing_table(table) -%}
    {%- set sql -%}
        create or replace view {{ landing_relation(table) }} as
        select
        {%- for column in table.columns.values() %}
            "{{ column.name }}"{{ ',' if not loop.last }}
        {%- endfor %}
        from {{ duckdb__landing_files(table) }}
        {{- duckdb__only_named_objects(table) }}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{% macro duckdb__register_landing_objects(tables) -%}
    {%- set sql -%}
        create or replace view {{ loader_relation('objects') }} as
        {%- for table in tables %}
        select
            '{{ table.name }}'::varchar as table_name,
            object_path[{{ landing_zone() | length + 2 }}:] as object_key,
            count(*) as row_count
        from {{ duckdb__landing_files(table) }}
        {{- duckdb__only_named_objects(table) }}
        group by object_path
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- Types are declared because a reader that infers them takes artists whose names are numbers for numbers. -#}
{% macro duckdb__landing_files(table) -%}
    {%- set zone = landing_zone().replace('[', '[[]').replace('*', '[*]').replace('?', '[?]') -%}
    {%- set files = '/*.json' if table.name == 'ledger' else '/**/*.json.gz' -%}
    read_json(
            {{ dbt.string_literal(dbt.escape_single_quotes(zone ~ '/' ~ table.meta.landing_folder ~ files)) }},
            format = 'newline_delimited',
            filename = 'object_path',
            hive_partitioning = false,
            columns = {
            {%- for column in table.columns.values() %}
                "{{ column.name }}": '{{ column.data_type }}'{{ ',' if not loop.last }}
            {%- endfor %}
            }
        )
{%- endmacro %}

{% macro duckdb__only_named_objects(table) -%}
    {%- set zone = dbt.string_literal(dbt.escape_single_quotes(landing_zone())) -%}
    {%- if table.name != 'ledger' %}
        where object_path in (
            select {{ zone }} || '/' || {{ table.meta.get('named_by', 'object_key') }}
            from {{ loader_relation('ledger') }}
            {%- if table.name != 'quarantine' %}
            where table_name = '{{ table.name }}'
            {%- endif %}
        )
    {%- endif %}
{%- endmacro %}
