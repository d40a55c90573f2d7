{#- Run at the end of a build: tells Redshift the keys that its tests have just proven, and that it does not know. Redshift checks no
    key, but its planner believes what is declared, and answers wrongly where it is not so
    (docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). So a key is declared when its tests have passed; and not in the
    model, where a foreign key would be a reference, and put users into the lineage of songplays. A relation that is built anew loses its
    keys, and those that refer to it: their tests are repeated, since they read it. -#}
{% macro declare_keys(results) -%}
    {{ adapter.dispatch('declare_keys')(results) }}
{%- endmacro %}

{% macro default__declare_keys(results) -%}
{%- endmacro %}

{% macro redshift__declare_keys(results) -%}
    {%- set proven = [] -%}
    {%- for result in results if result.status == 'pass' and result.node.test_metadata is defined -%}
        {%- if result.node.test_metadata.name in ('unique', 'relationships') and result.node.attached_node in graph.nodes -%}
            {%- do proven.append(result.node) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set known = declared_keys() if proven else [] -%}

    {%- set keys = [] -%}
    {%- for test in proven if test.test_metadata.name == 'unique' -%}
        {%- set model, column = graph.nodes[test.attached_node], test.test_metadata.kwargs.column_name -%}
        {%- set key = ('PRIMARY KEY', model.schema, model.alias, column) -%}
        {#- Redshift makes no primary key of a column that may be null -#}
        {%- if model.columns.get(column, {}).get('constraints', []) | selectattr('type', 'equalto', 'not_null') | list and key not in known -%}
            {%- do keys.append(key) %}
alter table {{ model.relation_name }} add primary key ({{ column }});
        {%- endif -%}
    {%- endfor -%}

    {%- for test in proven if test.test_metadata.name == 'relationships' -%}
        {%- set asked, model = test.test_metadata.kwargs, graph.nodes[test.attached_node] -%}
        {%- for node in test.depends_on.nodes if node != test.attached_node and node in graph.nodes -%}
            {%- set referenced = graph.nodes[node] -%}
            {%- set is_key = ('PRIMARY KEY', referenced.schema, referenced.alias, asked.field) in known + keys -%}
            {%- if is_key and ('FOREIGN KEY', model.schema, model.alias, asked.column_name) not in known %}
alter table {{ model.relation_name }} add foreign key ({{ asked.column_name }}) references {{ referenced.relation_name }} ({{ asked.field }});
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- The keys that Redshift knows, each with its kind, schema, table and column. -#}
{% macro declared_keys() -%}
    {%- set sql -%}
        select
            tables.constraint_type,
            tables.table_schema,
            tables.table_name,
            columns.column_name
        from information_schema.table_constraints as tables
        inner join information_schema.key_column_usage as columns
            on
                tables.constraint_schema = columns.constraint_schema
                and tables.constraint_name = columns.constraint_name
                and tables.table_name = columns.table_name
        where tables.constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')
    {%- endset -%}
    {%- set keys = [] -%}
    {%- for row in run_query(sql).rows -%}
        {%- do keys.append((row[0], row[1], row[2], row[3])) -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}
