{#- Run as an operation: `dbt run-operation register_landing`. With `anew`, what the engine has copied counts for nothing. -#}
{% macro register_landing(zone_id='', dataset='', has_known_counts=true, anew=false) -%}
    {%- do check_landing_zone() -%}
    {%- do check_built_from(zone_id) -%}
    {%- set tables = landing_tables() -%}
    {%- set ledger = tables | selectattr('name', 'equalto', 'ledger') | list -%}
    {%- for table in tables -%}
        {%- if loop.changed(table.schema) -%}
            {%- do adapter.create_schema(api.Relation.create(database=table.database, schema=table.schema)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do note_built_from(zone_id, dataset, has_known_counts) -%}
    {%- if anew -%}
        {%- do forget_copies(tables) -%}
    {%- endif -%}
    {%- set consents = tables | selectattr('meta.decides_consent', 'defined') | list -%}
    {%- for table in (ledger + consents + tables) | unique(attribute='unique_id') -%}
        {#- The ledger first: it says which objects count. Then what tells who consents: it counts if another table fails. -#}
        {%- do register_landing_table(table) -%}
        {%- do log('registered ' ~ table.schema ~ '.' ~ table.name, info=true) -%}
    {%- endfor -%}
    {%- do register_landing_objects(tables | rejectattr('source_name', 'equalto', 'loader') | list) -%}
{%- endmacro %}

{% macro register_landing_table(table) -%}
    {{ return(adapter.dispatch('register_landing_table')(table)) }}
{%- endmacro %}

{% macro default__register_landing_table(table) -%}
    {{ exceptions.raise_compiler_error("register_landing_table is not written for " ~ target.type) }}
{%- endmacro %}

{% macro register_landing_objects(tables) -%}
    {{ return(adapter.dispatch('register_landing_objects')(tables)) }}
{%- endmacro %}

{% macro default__register_landing_objects(tables) -%}
    {{ exceptions.raise_compiler_error("register_landing_objects is not written for " ~ target.type) }}
{%- endmacro %}

{#- Has what was copied of the landing zone copied anew: nobody knows what somebody changed in it by hand. -#}
{% macro forget_copies(tables) -%}
    {{ return(adapter.dispatch('forget_copies')(tables)) }}
{%- endmacro %}

{#- For engines that read in place. -#}
{% macro default__forget_copies(tables) -%}
{%- endmacro %}

{#- The objects that the ledger names for a table, each once, with the rows that it holds and what else the ledger says of it. -#}
{% macro named_objects(table) -%}
    {%- set key = table.meta.get('named_by', 'object_key') -%}
    (
            select
                {{ key }} as object_key,
                sum({{ 'records_landed' if key == 'object_key' else 'records_quarantined' }}) as row_count
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
