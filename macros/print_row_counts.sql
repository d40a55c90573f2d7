{#- Run as an operation: `dbt run-operation print_row_counts`. One query, so that on Athena it costs one start. -#}
{% macro print_row_counts(not_built=[]) -%}
    {%- set landing = graph.sources.values() | rejectattr('source_name', 'equalto', 'loader') | sort(attribute='unique_id') -%}
    {%- set built = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot', 'seed']) | sort(attribute='fqn') -%}
    {%- set published = built | selectattr('config.contract.enforced') | list + built | selectattr('resource_type', 'equalto', 'snapshot') | list -%}
    {%- set counts = [] -%}
    {%- set missing = [] -%}
    {%- for node in landing + published -%}
        {%- set name = node.identifier if node.resource_type == 'source' else node.alias -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=name) -%}
        {%- if relation is none or node.unique_id in not_built -%}
            {%- do missing.append(node.schema ~ '.' ~ name) -%}
        {%- else -%}
            {%- do counts.append(
                "select " ~ loop.index ~ " as position, '" ~ node.schema ~ "' as schema_name, '" ~ name ~ "' as relation, "
                ~ "count(*) as actual_rows from " ~ relation
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set expectations = adapter.get_relation(
        database=target.database, schema=generate_schema_name('expectations'), identifier='expected_row_counts'
    ) -%}
    {%- if expectations is none or not counts -%}
        {{ return(print('nothing has been built yet')) }}
    {%- endif -%}
    {%- set query %}
        select
            actual.schema_name,
            actual.relation,
            actual.actual_rows,
            expected_row_counts.rows as expected_rows
        from ({{ counts | join(' union all ') }}) as actual
        left join (
            select
                expectations.relation,
                expectations.rows
            from {{ expectations }} as expectations
            inner join {{ loader_relation('built_from') }} as built_from
                on expectations.dataset = built_from.counted_as
        ) as expected_row_counts
            on actual.relation = expected_row_counts.relation
        order by actual.position
    {%- endset -%}
    {{ print('%-44s %14s %14s' % ('relation', 'rows', 'expected')) }}
    {%- for row in run_query(query) -%}
        {%- set expected = '-' if row['expected_rows'] is none else '{:,}'.format(row['expected_rows'] | int) -%}
        {%- set mark = '' if row['expected_rows'] is none or row['expected_rows'] == row['actual_rows'] else '  differs' -%}
        {{ print('%-44s %14s %14s%s' % (
            row['schema_name'] ~ '.' ~ row['relation'], '{:,}'.format(row['actual_rows'] | int), expected, mark
        )) }}
        {%- do log('answer: ' ~ tojson({
            'relation': row['schema_name'] ~ '.' ~ row['relation'],
            'rows': row['actual_rows'] | int,
            'expected': none if row['expected_rows'] is none else row['expected_rows'] | int
        })) -%}
    {%- endfor -%}
    {%- for name in missing -%}
        {{ print('%-44s %14s' % (name, 'not built')) }}
    {%- endfor -%}
    {%- set others = built | rejectattr('unique_id', 'in', published | map(attribute='unique_id') | list) | list -%}
    {%- set seeds = others | selectattr('resource_type', 'equalto', 'seed') | list | length -%}
    {{ print('not listed: ' ~ (others | length - seeds) ~ ' relations of staging and intermediate, ' ~ seeds ~ ' seeds') }}
{%- endmacro %}
