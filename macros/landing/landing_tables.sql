{#- The declared tables that the loader fills, by schema and name. -#}
{% macro landing_tables() -%}
    {{ return(graph.sources.values() | rejectattr('meta.derived', 'true') | sort(attribute='schema,name') | list) }}
{%- endmacro %}

{#- The columns that stand in a table's raw records, and so in what engines read. -#}
{% macro record_columns(table) -%}
    {{ return(table.columns.values() | rejectattr('meta.from_ledger', 'true') | list) }}
{%- endmacro %}

{#- The columns that the ledger adds: what it says of the object in which a record lies. -#}
{% macro ledger_columns(table) -%}
    {{ return(table.columns.values() | selectattr('meta.from_ledger', 'true') | list) }}
{%- endmacro %}

{#- The relation of a declared table; graph.sources holds no relations. -#}
{% macro landing_relation(table, suffix='') -%}
    {{ return(api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier ~ suffix)) }}
{%- endmacro %}

{#- One of the loader's own tables, as it is declared. -#}
{% macro loader_source(name) -%}
    {{ return(graph.sources.values() | selectattr('source_name', 'equalto', 'loader') | selectattr('name', 'equalto', name) | first) }}
{%- endmacro %}

{#- The relation of one of the loader's own tables. -#}
{% macro loader_relation(name) -%}
    {{ return(landing_relation(loader_source(name))) }}
{%- endmacro %}

{#- The names of the tables of a source, as SQL compares them with; none while dbt parses, when it knows no sources. -#}
{% macro names_of_landing_tables(source_name) -%}
    {%- set names = [] -%}
    {%- for table in (graph.sources or {}).values() | selectattr('source_name', 'equalto', source_name) | sort(attribute='name') -%}
        {%- do names.append("'" ~ table.name ~ "'") -%}
    {%- endfor -%}
    {{ return(names | join(', ')) }}
{%- endmacro %}
