{#- Run as an operation: how far the data reaches by its own time, which tells what loading times cannot: a source that is
    delivered every day, and repeats last week. -#}
{% macro print_event_days() -%}
    {%- set counted = [] -%}
    {%- for node in graph.nodes.values() if node.name in ('sparkify_event_days', 'stedi_event_days') -%}
        {%- if adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
            {%- do counted.append('select * from ' ~ node.relation_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not counted -%}
        {{ return('') }}
    {%- endif -%}
    {{ print('%-44s %14s %14s %14s' % ('by their own time', 'first', 'last', 'days without')) }}
    {%- for row in run_query(counted | sort | join(' union all ') ~ ' order by records_of').rows -%}
        {{ print('%-44s %14s %14s %14s' % (row['records_of'], row['first_on'], row['last_on'], row['days_without'])) }}
        {%- do log('answer: ' ~ tojson({
            'records_of': row['records_of'],
            'first_on': row['first_on'] | string,
            'last_on': row['last_on'] | string,
            'days_without': row['days_without'] | int
        })) -%}
    {%- endfor -%}
{%- endmacro %}
