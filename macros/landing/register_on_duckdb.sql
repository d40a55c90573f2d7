{#- DuckDB holds copies, as Redshift does: JSON is parsed once, and not again by every model and test. `<table>__rows` has each
    record beside the object in which it lies, so the table itself tells what was copied, and what no longer counts goes alone. One
    transaction a table: a run that was cut off has copied nothing. -#}
{% macro duckdb__register_landing_table(table) -%}
    {%- if table.name == 'ledger' -%}
        {%- do duckdb__copy_ledger(table) -%}
    {%- else -%}
        {%- set rows = landing_relation(table, '__rows') -%}
        {%- do duckdb__drop_unless(landing_relation(table), 'view') -%}
        {%- do duckdb__drop_unless(rows, 'table') -%}
        {%- do duckdb__create_landing_rows(table, rows) -%}
        {%- call statement('remove', auto_begin=true) -%}
            {{ duckdb__remove_objects(table, rows) }}
        {%- endcall -%}
        {%- set new = duckdb__new_objects(table, rows) -%}
        {%- if new -%}
            {%- do run_query(duckdb__copy_objects(table, rows, new)) -%}
        {%- endif -%}
        {%- set view -%}
            create or replace view {{ landing_relation(table) }} as
            select
            {%- for column in table.columns.values() %}
                "{{ column.name }}"{{ ',' if not loop.last }}
            {%- endfor %}
            from {{ rows }}
        {%- endset -%}
        {%- do run_query(view) -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__register_landing_objects(tables) -%}
    {%- do duckdb__drop_undeclared(tables) -%}
    {%- set sql -%}
        create or replace view {{ loader_relation('objects') }} as
        {%- for table in tables %}
        select
            '{{ table.name }}'::varchar as table_name,
            object_key,
            count(*) as row_count
        from {{ landing_relation(table, '__rows') }}
        group by object_key
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- One statement, so that whoever reads sees one state of the zone. -#}
{% macro duckdb__copy_ledger(table) -%}
    {%- set relation = landing_relation(table) -%}
    {%- do duckdb__drop_unless(relation, 'table') -%}  {# older versions made a view #}
    {%- set files = [duckdb__file_pattern(landing_zone() ~ '/' ~ table.meta.landing_folder, '/*.json')] -%}
    {%- set sql -%}
        create or replace table {{ relation }} as
        select
        {%- for column in table.columns.values() %}
            "{{ column.name }}"{{ ',' if not loop.last }}
        {%- endfor %}
        from {{ duckdb__landing_files(table, files) }}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- Made anew, and so copied anew, if it has other columns than are declared. -#}
{% macro duckdb__create_landing_rows(table, relation) -%}
    {%- set declared = {'object_key': 'VARCHAR'} -%}
    {%- for column in table.columns.values() -%}
        {%- do declared.update({column.name: duckdb__landing_type(column.data_type)}) -%}
    {%- endfor -%}
    {%- set sql -%}
        select
            column_name,
            data_type
        from duckdb_columns()
        where
            database_name = '{{ relation.database }}'
            and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
        order by column_index
    {%- endset -%}
    {%- set found = {} -%}
    {%- for row in run_query(sql).rows -%}
        {%- do found.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- if found.items() | list != declared.items() | list -%}
        {%- set sql -%}
            create or replace table {{ relation }} (
            {%- for name, data_type in declared.items() %}
                "{{ name }}" {{ data_type }}{{ ',' if not loop.last }}
            {%- endfor %}
            )
        {%- endset -%}
        {%- call statement('create_rows', auto_begin=true) -%}
            {{ sql }}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}

{#- What DuckDB calls a declared type: it knows texts of any length only. -#}
{% macro duckdb__landing_type(data_type) -%}
    {{ return('VARCHAR' if data_type.startswith('varchar') else data_type.replace(' precision', '') | upper) }}
{%- endmacro %}

{#- Removes the rows of the objects that the ledger does not name, or that have other rows than it says, whatever changed them. -#}
{% macro duckdb__remove_objects(table, rows) -%}
    delete from {{ rows }}
    where object_key is null or object_key not in (
        select copied.object_key
        from (
            select
                object_key
                {%- for column in ledger_columns(table) %},
                {{ column.name }}
                {%- endfor %},
                count(*) as row_count
            from {{ rows }}
            group by all
        ) as copied
        inner join {{ named_objects(table) }} as named
            on
                copied.object_key = named.object_key
                and copied.row_count = named.row_count
                {%- for column in ledger_columns(table) %}
                and copied.{{ column.name }} = named.{{ column.name }}
                {%- endfor %}
    )
{%- endmacro %}

{#- The objects that are not copied yet. Each must be there: a reader of many files would not miss one. -#}
{% macro duckdb__new_objects(table, rows) -%}
    {%- set sql -%}
        select
            named.object_key,
            listed.file is not null as is_there
        from {{ named_objects(table) }} as named
        left join glob({{ duckdb__file_pattern(landing_zone() ~ '/' ~ table.meta.landing_folder, '/**/*.json.gz') }}) as listed
            on {{ dbt.string_literal(dbt.escape_single_quotes(landing_zone())) }} || '/' || named.object_key = listed.file
        where named.object_key not in (select object_key from {{ rows }})
        order by named.object_key
    {%- endset -%}
    {%- set new = [] -%}
    {%- for row in run_query(sql).rows -%}
        {%- if not row[1] -%}
            {{ exceptions.raise_compiler_error(
                landing_zone() ~ '/' ~ row[0] ~ " is not there, although the ledger names it. If a load is at work on the zone, register "
                ~ "again when it is done; if somebody removed the file, land into a new zone."
            ) }}
        {%- endif -%}
        {%- do new.append(row[0]) -%}
    {%- endfor -%}
    {{ return(new) }}
{%- endmacro %}

{% macro duckdb__copy_objects(table, rows, object_keys) -%}
    {%- set files = [] -%}
    {%- for object_key in object_keys -%}
        {%- do files.append(duckdb__file_pattern(landing_zone() ~ '/' ~ object_key)) -%}
    {%- endfor -%}
    insert into {{ rows }}
    select
        named.object_key
        {%- for column in table.columns.values() %},
        {{ 'named' if column.meta.from_ledger else 'files' }}."{{ column.name }}"
        {%- endfor %}
    from {{ duckdb__landing_files(table, files) }} as files
    inner join {{ named_objects(table) }} as named
        on files.object_path = {{ dbt.string_literal(dbt.escape_single_quotes(landing_zone())) }} || '/' || named.object_key
{%- endmacro %}

{#- Types are declared because a reader that infers them takes artists whose names are numbers for numbers. -#}
{% macro duckdb__landing_files(table, files) -%}
    read_json(
            [{{ files | join(', ') }}],
            format = 'newline_delimited',
            compression = '{{ 'uncompressed' if table.name == 'ledger' else 'gzip' }}',
            filename = 'object_path',
            hive_partitioning = false,
            columns = {
            {%- for column in record_columns(table) %}
                "{{ column.name }}": '{{ column.data_type }}'{{ ',' if not loop.last }}
            {%- endfor %}
            }
        )
{%- endmacro %}

{#- A pattern that stands for this path, and for what follows it. -#}
{% macro duckdb__file_pattern(path, pattern='') -%}
    {%- set escaped = path.replace('[', '[[]').replace('*', '[*]').replace('?', '[?]') -%}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(escaped ~ pattern))) }}
{%- endmacro %}

{#- A table that is declared no more goes, and what was copied into it: no build and no erasure would think of it. -#}
{% macro duckdb__drop_undeclared(tables) -%}
    {%- set declared = [] -%}
    {%- for table in tables -%}
        {%- do declared.append((table.schema, table.identifier ~ '__rows')) -%}
    {%- endfor -%}
    {%- set schemas = declared | map('first') | unique | list -%}
    {%- set copies = run_query("select schema_name, table_name from duckdb_tables() where suffix(table_name, '__rows')") -%}
    {%- for row in copies.rows if row[0] in schemas and (row[0], row[1]) not in declared -%}
        {%- do run_query('drop view if exists "' ~ row[0] ~ '"."' ~ row[1].removesuffix('__rows') ~ '"') -%}
        {%- do run_query('drop table "' ~ row[0] ~ '"."' ~ row[1] ~ '"') -%}
    {%- endfor -%}
{%- endmacro %}

{% macro duckdb__forget_copies(tables) -%}
    {%- for table in tables -%}
        {%- do duckdb__drop_unless(landing_relation(table, '__rows'), none) -%}
    {%- endfor -%}
{%- endmacro %}

{#- Drops what is of another kind, which DuckDB does not replace. -#}
{% macro duckdb__drop_unless(relation, kind) -%}
    {%- set found = adapter.get_relation(database=relation.database, schema=relation.schema, identifier=relation.identifier) -%}
    {%- if found and found.type != kind -%}
        {%- do adapter.drop_relation(found) -%}
    {%- endif -%}
{%- endmacro %}
