{#- What each relation was built with, and each test passed with, is noted in loader.built_with: lakehouse run builds what is
    made of something else by now. scripts/lakehouse/pipeline/fingerprints.py says what a node is made of. -#}

{#- Run as an operation: tells the session what is noted of every node whose relation is still there. -#}
{% macro tell_built_with() -%}
    {%- set noted = noted_built_with() -%}
    {%- set told = [] -%}
    {%- if noted -%}
        {%- for row in run_query('select node, settings, code, inputs from ' ~ noted).rows -%}
            {%- set node = graph.nodes.get(row[0]) -%}
            {%- set is_relation = node and node.resource_type in ('model', 'seed', 'snapshot') -%}
            {%- if not is_relation or adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
                {%- do told.append([row[0], row[1], row[2], row[3]]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do log('answer: ' ~ tojson(told)) -%}
{%- endmacro %}

{#- Run as an operation, when nodes were built or have passed; of others that were to be, nothing is known any more. -#}
{% macro record_built_with(rows, others=[]) -%}
    {%- do forget_built_with(rows | map(attribute='node') | list + others) -%}
    {%- do append_to(loader_source('built_with'), rows) -%}
{%- endmacro %}

{#- Run before every command of dbt that builds, be it by hand: what it builds is not what is noted any more, and of a command
    that is killed nobody knows how far it came. -#}
{% macro forget_what_is_built() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'retry') -%}
        {%- do forget_built_with(selected_resources) -%}
    {%- endif -%}
{%- endmacro %}

{#- Forgets what is noted of nodes, and commits it: dbt rolls back what a hook does on DuckDB. -#}
{% macro forget_built_with(nodes) -%}
    {%- if nodes and noted_built_with() -%}
        {%- call statement('forget_built_with') -%}
            delete from {{ loader_relation('built_with') }}
            where node in (
            {%- for node in nodes -%}
                {{ dbt.string_literal(node) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
            )
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}

{#- The relation in which it is noted; none before the first run. -#}
{% macro noted_built_with() -%}
    {%- set relation = loader_relation('built_with') -%}
    {{ return(adapter.get_relation(database=relation.database, schema=relation.schema, identifier=relation.identifier)) }}
{%- endmacro %}
