{#- Fails too where the data set has no expected count for the relation: a count that nobody stated is not asserted. -#}
{% test expected_row_count(model) %}

    {{ config(enabled = var('dataset') in var('counted_datasets')) }}

    with actual as (

        select count(*) as row_count
        from {{ model }}

    ),

    expected as (

        select max(expected_row_counts.rows) as row_count
        from {{ ref('expected_row_counts') }} as expected_row_counts
        where
            expected_row_counts.dataset = '{{ var("dataset") }}'
            and expected_row_counts.relation = '{{ model.identifier }}'

    )

    select
        actual.row_count as actual_rows,
        expected.row_count as expected_rows
    from actual
    cross join expected
    where
        expected.row_count is null
        or actual.row_count <> expected.row_count

{% endtest %}
