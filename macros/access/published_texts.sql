{#- Which relations: those of STEDI that may name nobody, and say so themselves, each of which the test must depend on. Sparkify's are
    another domain, where an artist may well bear the name of a customer. What describes data and holds none is left out: a customer
    whose name is a common word stands in many a description. Which columns: texts, and those whose type is not declared. Which values:
    not those that the column's own test lists, which are the project's words. -#}
{% macro published_texts() -%}
    {%- set texts = [] -%}
    {%- set nodes = graph.nodes.values() | list if execute else [] -%}
    {%- set listed = nodes | selectattr('resource_type', 'equalto', 'test')
        | selectattr('test_metadata') | selectattr('test_metadata.name', 'equalto', 'accepted_values') | list -%}
    {%- set published = nodes | selectattr('resource_type', 'in', ['model', 'snapshot']) | rejectattr('fqn.1', 'equalto', 'sparkify')
        | sort(attribute='unique_id') -%}
    {%- for node in published if node.config.meta.names_nobody or not node.config.meta.holds_personal_data -%}
        {%- if node.unique_id not in model.depends_on.nodes -%}
            {%- do exceptions.raise_compiler_error(node.unique_id ~ ' may name nobody: name it in this test') -%}
        {%- endif -%}
        {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- for column in node.columns.values()
            if node.config.meta.get('holds_data', true) and (column.data_type or 'varchar').startswith('varchar') -%}
            {%- set own_words = [] -%}
            {%- for test in listed | selectattr('attached_node', 'equalto', node.unique_id) | selectattr('column_name', 'equalto', column.name) -%}
                {%- do own_words.extend(test.test_metadata.kwargs['values'] | map('string')) -%}
            {%- endfor -%}
            {%- do texts.append((relation, column.name, own_words)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for relation, column, own_words in texts %}
    select distinct
        '{{ relation.identifier }}.{{ column }}' as place,
        cast({{ column }} as varchar(4096)) as published_text
    from {{ relation }}
    where {{ column }} {% if own_words %}not in ('{{ own_words | join("', '") }}'){% else %}is not null{% endif %}
    {{- '\n    union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
