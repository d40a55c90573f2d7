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
            inner join {{ athena__named_objects(table) }} as named
                on files."$path" = named.object_path
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
        inner join {{ athena__named_objects(table) }} as named
            on files."$path" = named.object_path
        group by "$path"
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{#- The table holds no data, so it is made anew whenever it is not what is declared, or is another zone's. -#}
{% macro athena__create_landing_files(table, relation) -%}
    {%- set location = landing_zone() ~ '/' ~ table.meta.landing_folder ~ '/' -%}
    {%- set columns = [] -%}
    {%- for column in record_columns(table) -%}
        {%- do columns.append((column.name | lower, athena__landing_type(column.data_type))) -%}
    {%- endfor -%}
    {%- set properties = athena__projection(location, athena__landing_parts(table)) if table.meta.part_by else {} -%}
    {%- if athena__is_there(relation, location, columns) -%}
        {%- if properties -%}
            {%- do run_query('alter table ' ~ relation.render_hive() ~ ' set tblproperties ' ~ athena__properties(properties)) -%}
        {%- endif -%}
    {%- else -%}
        {%- do run_query('drop table if exists ' ~ relation.render_hive()) -%}
        {%- set sql -%}
            create external table {{ relation.render_hive() }} (
            {%- for name, type in columns %}
                `{{ name }}` {{ type }}{{ ',' if not loop.last }}
            {%- endfor %}
            )
            {{ 'partitioned by (`part` string)' if properties }}
            row format serde 'org.openx.data.jsonserde.JsonSerDe'
            location '{{ location }}'
            {{ 'tblproperties ' ~ athena__properties(properties) if properties }}
        {%- endset -%}
        {%- do run_query(sql) -%}
    {%- endif -%}
{%- endmacro %}

{#- The catalogue is asked, which knows a table's location; dbt's relations do not. -#}
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
    {{ return(there == columns and storage.Location.rstrip('/') == location.rstrip('/')) }}
{%- endmacro %}

{% macro athena__properties(properties) -%}
    {%- set pairs = [] -%}
    {%- for key, value in properties.items() -%}
        {%- do pairs.append("'" ~ key ~ "' = '" ~ value ~ "'") -%}
    {%- endfor -%}
    {{ return('(' ~ pairs | join(', ') ~ ')') }}
{%- endmacro %}

{#- The groups that parts stand in, by their folders. Partition projection knows these days and asks the catalogue for none. -#}
{% macro athena__landing_parts(table) -%}
    {%- set sql -%}
        select distinct regexp_extract(object_key, '/part=([^/]*)/[^/]*$', 1) as part
        from {{ loader_relation('ledger') }}
        where
            table_name = '{{ table.name }}'
            and object_key is not null
        order by part
    {%- endset -%}
    {{ return(run_query(sql).columns[0].values() | list) }}
{%- endmacro %}

{% macro athena__projection(location, parts) -%}
    {{ return({
        'projection.enabled': 'true',
        'projection.part.type': 'enum',
        'projection.part.values': parts | join(',') or 'none',
        'storage.location.template': location ~ 'part=${part}/',
    }) }}
{%- endmacro %}

{#- Hive's names of the types. Texts keep their length in the declaration only: the loader has checked it. -#}
{% macro athena__landing_type(data_type) -%}
    {%- set types = {'integer': 'int', 'double precision': 'double'} -%}
    {{ return('string' if data_type.startswith('varchar') else types.get(data_type, data_type)) }}
{%- endmacro %}

{#- The objects that the ledger names for a table, each once, with what the ledger says of it. -#}
{% macro athena__named_objects(table) -%}
    {%- set key = table.meta.get('named_by', 'object_key') -%}
    (
                select
                    '{{ landing_zone() }}/' || {{ key }} as object_path
                    {%- for column in ledger_columns(table) %},
                    max({{ column.name }}) as {{ column.name }}
                    {%- endfor %}
                from {{ loader_relation('ledger') }}
                where
                    {{ key }} is not null
                    {%- if table.name != 'quarantine' %}
                    and table_name = '{{ table.name }}'
                    {%- endif %}
                group by {{ key }}
            )
{%- endmacro %}
