{#- Run at the end of a build: tells Redshift the keys that its tests have just proven. Redshift checks no key, but its planner
    believes what is declared, and answers wrongly where it is not so (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html).
    So a key is declared when its tests have passed, of a relation that was built in the same run; and not in the model, where a
    foreign key would be a reference, and put users into the lineage of songplays. -#}
{% macro declare_keys(results) -%}
    {{ adapter.dispatch('declare_keys')(results) }}
{%- endmacro %}

{% macro default__declare_keys(results) -%}
{%- endmacro %}

{% macro redshift__declare_keys(results) -%}
    {%- set built = [] -%}
    {%- set proven = [] -%}
    {%- for result in results -%}
        {%- if result.status == 'success' and result.node.resource_type == 'model' -%}
            {%- do built.append(result.node.unique_id) -%}
        {%- elif result.status == 'pass' and result.node.test_metadata is defined -%}
            {%- do proven.append(result.node) -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set keys = {} -%}
    {%- for test in proven if test.test_metadata.name == 'unique' and test.attached_node in built -%}
        {%- set model, column = graph.nodes[test.attached_node], test.test_metadata.kwargs.column_name -%}
        {#- Redshift makes no primary key of a column that may be null -#}
        {%- if model.columns.get(column, {}).get('constraints', []) | selectattr('type', 'equalto', 'not_null') | list -%}
            {%- do keys.update({test.attached_node: column}) %}
alter table {{ model.relation_name }} add primary key ({{ column }});
        {%- endif -%}
    {%- endfor -%}

    {%- for test in proven if test.test_metadata.name == 'relationships' and test.attached_node in built -%}
        {%- set asked = test.test_metadata.kwargs -%}
        {%- for referenced in test.depends_on.nodes if referenced != test.attached_node and keys.get(referenced) == asked.field %}
alter table {{ graph.nodes[test.attached_node].relation_name }} add foreign key ({{ asked.column_name }}) references {{ graph.nodes[referenced].relation_name }} ({{ asked.field }});
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
