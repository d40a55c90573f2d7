{#- Athena reads in place: an external table over all of a folder's objects, and in front of it a view that leaves out what
    the ledger does not name. So a load takes effect for readers in the moment in which its ledger does. -#}
{% macro athena__register_landing_table(table) -%}
    {%- if table.name == 'ledger' -%}
        {%- do athena__create_landing_files(table, landing_relation(table)) -%}
    {%- else -%}
        {%- set files = landing_relation(table, '__files') -%}
        {%- do athena__create_landing_files(table, files) -%}
        {%- set sql -%}
            create or replace view {{ landing_relation(table) }} as
            select
            {%- for column in table.columns.values() %}
                {{ 'named' if column.meta.from_ledger else 'files' }}."{{ column.name | lower }}"{{ ',' if not loop.last }}
            {%- endfor %}
            from {{ files }} as files
            inner join {{ named_objects(table) }} as named
                on files."$path" = '{{ landing_zone() }}/' || named.object_key
        {%- endset -%}
        {%- do run_query(sql) -%}
    {%- endif -%}
{%- endmacro %}

{% macro athena__register_landing_objects(tables) -%}
    {%- set sql -%}
        create or replace view {{ loader_relation('objects') }} as
        {%- for table in tables %}
        select
            cast('{{ table.name }}' as varchar) as table_name,
            substr("$path", {{ landing_zone() | length + 2 }}) as object_key,
            count(*) as row_count
        from {{ landing_relation(table, '__files') }} as files
        inner join {{ named_objects(table) }} as named
            on files."$path" = '{{ landing_zone() }}/' || named.object_key
        group by "$path"
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- The table holds no data, so it is made anew whenever it is not what is declared, or is another zone's. It has no partitions,
    although a folder may have `part=` folders: Athena reads what lies at any depth below the location
    (docs.aws.amazon.com/athena/latest/ug/tables-location-format.html), and nothing asks for single parts of raw data. Partitions
    would have to be kept up to date, and no projection fits what may stand there: enum is for a few dozen values, date for days
    without gaps, injected for queries of one (…/ug/partition-projection-supported-types.html). -#}
{% macro athena__create_landing_files(table, relation) -%}
    {%- set location = landing_zone() ~ '/' ~ table.meta.landing_folder ~ '/' -%}
    {%- set columns = [] -%}
    {%- for column in record_columns(table) -%}
        {%- do columns.append((column.name | lower, athena__landing_type(column.data_type))) -%}
    {%- endfor -%}
    {%- if not athena__is_there(relation, location, columns) -%}
        {%- do run_query('drop table if exists ' ~ relation.render_hive()) -%}
        {%- set sql -%}
            create external table {{ relation.render_hive() }} (
            {%- for name, type in columns %}
                `{{ name }}` {{ type }}{{ ',' if not loop.last }}
            {%- endfor %}
            )
            row format serde '{{ athena__landing_serde() }}'
            location '{{ location }}'
        {%- endset -%}
        {%- do run_query(sql) -%}
    {%- endif -%}
{%- endmacro %}

{#- Hive's reader of JSON. Of OpenX's, AWS says that "the number of results and their values can be non-deterministic", with
    "unexpected null values", and advises this one (docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html). It has no
    settings. It finds the keys of columns in any case: Hive's own code lowers both, as does Trino's, which Athena is made of
    (lib/trino-hive-formats, JsonDeserializer). It stops a query at a line that is no JSON; the loader lands none. -#}
{% macro athena__landing_serde() -%}
    {{ return('org.apache.hive.hcatalog.data.JsonSerDe') }}
{%- endmacro %}

{#- The catalogue is asked, which knows a table's location and reader; dbt's relations do not. -#}
{% macro athena__is_there(relation, location, columns) -%}
    {%- set found = adapter.get_glue_table(relation) -%}
    {%- if not found -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set storage = found.Table.StorageDescriptor -%}
    {%- set there = [] -%}
    {%- for column in storage.Columns -%}
        {%- do there.append((column.Name, column.Type)) -%}
    {%- endfor -%}
    {{ return(
        there == columns
        and not found.Table.get('PartitionKeys')
        and storage.SerdeInfo.SerializationLibrary == athena__landing_serde()
        and storage.Location.rstrip('/') == location.rstrip('/')
    ) }}
{%- endmacro %}

{#- Hive's names of the types. Texts keep their length in the declaration only: the loader has checked it. -#}
{% macro athena__landing_type(data_type) -%}
    {%- set types = {'integer': 'int', 'double precision': 'double'} -%}
    {{ return('string' if data_type.startswith('varchar') else types.get(data_type, data_type)) }}
{%- endmacro %}
