{#- DuckDB reads in place: a view over the zone's files. Files that the ledger does not name are leftovers of a load. -#}
{% macro duckdb__register_landing_table(table) -%}
    {%- set sql -%}
        create or replace view {{ landing_relation(table) }} as
        select
        {%- for column in table.columns.values() %}
            "{{ column.name }}"{{ ',' if not loop.last }}
        {%- endfor %}
        from {{ duckdb__landing_rows(table) }}
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
        from {{ duckdb__landing_rows(table) }}
        group by object_path
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- DuckDB lists files when it plans a query, from left to right, and reads the ledger when it runs it; a load may take effect
    between the two. So whatever the ledger names must be among the files that were there before the reader listed its own. -#}
{% macro duckdb__landing_rows(table) -%}
    {%- set zone = dbt.string_literal(dbt.escape_single_quotes(landing_zone())) -%}
    {%- set key = table.meta.get('named_by', 'object_key') -%}
    {%- if table.name != 'ledger' -%}
        (
            select
                case
                    when listed.file is null
                        then error({{ key }} || ' is not there, or was not when the query began and a load was at work: query again')
                    else listed.file
                end as object_path
                {%- for column in ledger_columns(table) %},
                max(ledger.{{ column.name }}) as {{ column.name }}
                {%- endfor %}
            from {{ loader_relation('ledger') }} as ledger
            left join glob({{ duckdb__landing_glob(table) }}) as listed
                on {{ zone }} || '/' || ledger.{{ key }} = listed.file
            where
                ledger.{{ key }} is not null
                {%- if table.name != 'quarantine' %}
                and ledger.table_name = '{{ table.name }}'
                {%- endif %}
            group by 1
        ) as named
        inner join {{ duckdb__landing_files(table) }} as files using (object_path)
    {%- else -%}
        {{ duckdb__landing_files(table) }}
    {%- endif -%}
{%- endmacro %}

{#- Types are declared because a reader that infers them takes artists whose names are numbers for numbers. -#}
{% macro duckdb__landing_files(table) -%}
    read_json(
            {{ duckdb__landing_glob(table) }},
            format = 'newline_delimited',
            filename = 'object_path',
            hive_partitioning = false,
            columns = {
            {%- for column in record_columns(table) %}
                "{{ column.name }}": '{{ column.data_type }}'{{ ',' if not loop.last }}
            {%- endfor %}
            }
        )
{%- endmacro %}

{% macro duckdb__landing_glob(table) -%}
    {%- set zone = landing_zone().replace('[', '[[]').replace('*', '[*]').replace('?', '[?]') -%}
    {%- set files = '/*.json' if table.name == 'ledger' else '/**/*.json.gz' -%}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(zone ~ '/' ~ table.meta.landing_folder ~ files))) }}
{%- endmacro %}
