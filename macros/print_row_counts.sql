{#- Run as an operation: `dbt run-operation print_row_counts`. One query, so that on Athena it costs one start. -#}
{% macro print_row_counts() -%}
    {%- set relations = graph.sources.values() | rejectattr('source_name', 'equalto', 'loader') | sort(attribute='unique_id') | list
        + graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('config.contract.enforced')
        | sort(attribute='fqn') | list -%}
    {%- set query %}
        with actual as (
            {%- for node in relations %}
            select
                {{ loop.index }} as position,
                '{{ node.schema }}' as schema_name,
                '{{ node.identifier if node.resource_type == "source" else node.alias }}' as relation,
                count(*) as actual_rows
            from {{ api.Relation.create(database=node.database, schema=node.schema,
                                        identifier=node.identifier if node.resource_type == 'source' else node.alias) }}
            {{- ' union all' if not loop.last }}
            {%- endfor %}
        )

        select
            actual.schema_name,
            actual.relation,
            actual.actual_rows,
            expected_row_counts.rows as expected_rows
        from actual
        left join {{ api.Relation.create(database=target.database, schema='expectations', identifier='expected_row_counts') }}
            as expected_row_counts
            on
                actual.relation = expected_row_counts.relation
                and expected_row_counts.dataset = '{{ var("dataset") }}'
        order by actual.position
    {%- endset -%}
    {{ print('%-44s %14s %14s' % ('relation', 'rows', 'expected')) }}
    {%- for row in run_query(query) -%}
        {%- set expected = '-' if row['expected_rows'] is none else '{:,}'.format(row['expected_rows'] | int) -%}
        {%- set mark = '' if row['expected_rows'] is none or row['expected_rows'] == row['actual_rows'] else '  differs' -%}
        {{ print('%-44s %14s %14s%s' % (
            row['schema_name'] ~ '.' ~ row['relation'], '{:,}'.format(row['actual_rows'] | int), expected, mark
        )) }}
    {%- endfor -%}
{%- endmacro %}
