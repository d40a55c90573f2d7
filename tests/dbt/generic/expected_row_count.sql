{#- Of a data set that has expected counts, one that nobody stated fails, too; of any other data set nothing is asserted. -#}
{% test expected_row_count(model) %}

    with expected as (

        select max(case when expected_row_counts.relation = '{{ model.identifier }}' then expected_row_counts.rows end) as row_count
        from {{ ref('expected_row_counts') }} as expected_row_counts
        inner join {{ source('loader', 'built_from') }} as built_from
            on expected_row_counts.dataset = built_from.counted_as
        having count(*) > 0

    ),

    actual as (

        -- where nothing is expected, nothing is read
        select count(*) as row_count
        from {{ model }}
        where exists (select 1 from expected)

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
