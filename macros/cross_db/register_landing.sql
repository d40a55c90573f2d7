{#- Run as an operation: `dbt run-operation register_landing`. -#}
{% macro register_landing() -%}
    {#- By name, which puts `loader` first: the other tables' views ask its ledger which objects count. -#}
    {%- set tables = graph.sources.values() | sort(attribute='unique_id') -%}
    {%- for table in tables -%}
        {%- if loop.changed(table.schema) -%}
            {%- do adapter.create_schema(api.Relation.create(database=table.database, schema=table.schema)) -%}
        {%- endif -%}
        {%- do run_query(register_landing_table(table)) -%}
        {%- do log('registered ' ~ table.schema ~ '.' ~ table.name, info=true) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro register_landing_table(table) -%}
    {{ return(adapter.dispatch('register_landing_table')(table)) }}
{%- endmacro %}

{% macro default__register_landing_table(table) -%}
    {{ exceptions.raise_compiler_error(
        "The landing zone cannot be registered on " ~ target.type ~ " yet, only on duckdb. The models themselves compile for it."
    ) }}
{%- endmacro %}

{#- DuckDB reads in place: a view over the zone's files. Types are declared because a reader that infers them takes artists
    whose names are numbers for numbers. Files that the ledger does not name are leftovers of a loader that was killed. -#}
{% macro duckdb__register_landing_table(table) -%}
    {%- set zone = env_var('LANDING_ZONE', 'landing/sample').rstrip('/') -%}
    {%- set zone = zone if zone.startswith('/') else invocation_args_dict.project_dir ~ '/' ~ zone -%}
    {%- set zone_literal = dbt.string_literal(dbt.escape_single_quotes(zone)) -%}
    {%- set is_book = table.source_name == 'loader' -%}
    {%- set escaped_zone = zone.replace('[', '[[]').replace('*', '[*]').replace('?', '[?]') -%}
    {%- set files = escaped_zone ~ '/' ~ table.meta.landing_folder ~ ('/*.json' if is_book else '/**/*.json.gz') -%}
    create or replace view {{ api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier) }} as
    select
    {%- for column in table.columns.values() %}
        "{{ column.name }}"{{ ',' if not loop.last }}
    {%- endfor %}
    from read_json(
        {{ dbt.string_literal(dbt.escape_single_quotes(files)) }},
        format = 'newline_delimited',
        filename = 'object_path',
        hive_partitioning = false,
        columns = {
        {%- for column in table.columns.values() %}
            "{{ column.name }}": '{{ column.data_type }}'{{ ',' if not loop.last }}
        {%- endfor %}
        }
    )
    {%- if not is_book %}
    where object_path in (
        select {{ zone_literal }} || '/' || object_key
        from {{ api.Relation.create(database=table.database, schema='loader', identifier='ledger') }}
        where table_name = '{{ table.name }}'
    )
    {%- endif %}
{%- endmacro %}
