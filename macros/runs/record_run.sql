{#- Run as an operation, at the end of a run. The run comes last: of one that is not there, no relation counts. A database that
    nothing was registered in stays as it is: whatever lay in it would be nobody's. -#}
{% macro record_run(run, relations) -%}
    {%- if built_from() -%}
        {%- do append_to(loader_source('run_relations'), relations) -%}
        {%- do append_to(loader_source('runs'), [run]) -%}
    {%- endif -%}
{%- endmacro %}

{#- Run as an operation: tells the session how many rows each relation had in the last run that left everything built. -#}
{% macro tell_rows_before() -%}
    {%- set runs, run_relations = loader_relation('runs'), loader_relation('run_relations') -%}
    {%- if adapter.get_relation(database=runs.database, schema=runs.schema, identifier=runs.identifier) -%}
        {%- set sql -%}
            select
                relation,
                rows_after
            from {{ run_relations }}
            where
                rows_after is not null
                and run_id = (
                    select max(runs.run_id)
                    from {{ runs }} as runs
                    inner join {{ run_relations }} as counted
                        on runs.run_id = counted.run_id
                    where
                        runs.outcome = 'done'
                        and counted.rows_after is not null
                )
        {%- endset -%}
        {%- for row in run_query(sql).rows -%}
            {%- do log('answer: ' ~ tojson([row[0], row[1] | int])) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Adds rows to a declared table, which is made when the first ones come. -#}
{% macro append_to(table, rows) -%}
    {%- set relation = landing_relation(table) -%}
    {%- call statement('create_' ~ table.name) -%}
        {{ create_declared_table(table, relation) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {%- if rows -%}
        {%- call statement('append_to_' ~ table.name) -%}
            insert into {{ relation }} ({{ table.columns.values() | map(attribute='name') | join(', ') }}) values
            {%- for row in rows %}
                (
                {%- for column in table.columns.values() -%}
                    {{ literal_of(row.get(column.name), column.data_type) }}{{ ', ' if not loop.last }}
                {%- endfor -%}
                ){{ ',' if not loop.last }}
            {%- endfor %}
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}

{% macro literal_of(value, data_type) -%}
    {%- if value is none -%}
        null
    {%- elif data_type == 'timestamp' -%}
        timestamp {{ dbt.string_literal(value) }}
    {%- elif value is string -%}
        {{ dbt.string_literal(dbt.escape_single_quotes(value)) }}
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}

{% macro create_declared_table(table, relation) -%}
    {{ adapter.dispatch('create_declared_table')(table, relation) }}
{%- endmacro %}

{% macro default__create_declared_table(table, relation) -%}
    {{ exceptions.raise_compiler_error("create_declared_table is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__create_declared_table(table, relation) -%}
    create table if not exists {{ relation }} (
    {%- for column in table.columns.values() %}
        {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}

{% macro redshift__create_declared_table(table, relation) -%}
    {{ duckdb__create_declared_table(table, relation) }}
    diststyle even
{%- endmacro %}

{#- Texts have no length in Iceberg, and doubles one name (docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html). -#}
{% macro athena__create_declared_table(table, relation) -%}
    create table if not exists {{ relation.render_hive() }} (
    {%- for column in table.columns.values() %}
        {{ column.name }} {{ 'string' if column.data_type.startswith('varchar') else column.data_type.replace(' precision', '') }}{{ ',' if not loop.last }}
    {%- endfor %}
    )
    location '{{ target.s3_data_dir }}/loader/{{ table.name }}/'
    tblproperties ('table_type' = 'iceberg', 'format' = 'parquet')
{%- endmacro %}
