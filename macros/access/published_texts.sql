{#- Which relations: those of STEDI that say so themselves, each of which the test must depend on. Sparkify's are another domain,
    where an artist may well bear the name of a customer. Which columns: texts, and those whose type is not declared. -#}
{% macro published_texts() -%}
    {%- set texts = [] -%}
    {%- set published = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot'])
        | rejectattr('config.meta.holds_personal_data') | sort(attribute='unique_id') if execute else [] -%}
    {%- for node in published if node.fqn[1] != 'sparkify' -%}
        {%- if node.unique_id not in model.depends_on.nodes -%}
            {%- do exceptions.raise_compiler_error(node.unique_id ~ ' may hold no personal data: name it in this test') -%}
        {%- endif -%}
        {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- for column in node.columns.values() if (column.data_type or 'varchar').startswith('varchar') -%}
            {%- do texts.append((relation, column.name)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for relation, column in texts %}
    select distinct
        '{{ relation.identifier }}.{{ column }}' as place,
        lower(cast({{ column }} as varchar(4096))) as published_text
    from {{ relation }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
