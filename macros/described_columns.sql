{#- A query that gives the columns of a model's versions as the YAML declares and describes them: the docs' texts, for who has only SQL. -#}
{% macro described_columns(model_name, versions) -%}
    {%- set models = graph.nodes.values() if execute else [] -%}
    {%- set described = models | selectattr('name', 'equalto', model_name) | selectattr('version', 'in', versions) | sort(attribute='version') -%}
    {%- for model in described -%}
    {%- set is_last_version = loop.last -%}
    {%- for column in model.columns.values() %}
    select
        cast({{ model.version }} as integer) as version,
        cast({{ loop.index }} as integer) as column_position,
        cast({{ dbt.string_literal(column.name) }} as varchar(64)) as column_name,
        cast({{ dbt.string_literal(column.data_type) }} as varchar(64)) as column_type,
        cast({{ dbt.string_literal(dbt.escape_single_quotes(column.description | replace('\n', ' ') | trim)) }} as varchar(1024))
            as column_description
    {{- '\n    union all' if not (loop.last and is_last_version) }}
    {%- endfor -%}
    {%- endfor %}
{%- endmacro %}
