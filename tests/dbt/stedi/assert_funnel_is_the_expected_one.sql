-- What every layer keeps and drops, and why, of a data set whose numbers are known. One that is expected and missing fails, too,
-- and the reverse; of any other data set nothing is asserted.
with funnel as (

    select * from {{ ref('consent_funnel') }}

),

actual as (

    select
        'funnel/' || population || '/' || layer || '/' || outcome as measure,
        records as measured
    from funnel

),

expected as (

    select
        expected_measures.measure,
        expected_measures.expected
    from {{ ref('expected_measures') }} as expected_measures
    inner join {{ source('loader', 'built_from') }} as built_from
        on expected_measures.dataset = built_from.counted_as
    where expected_measures.measure like 'funnel/%'

),

known as (

    select count(*) as measures
    from expected

),

differences as (

    select
        actual.measure as actual_measure,
        expected.measure as expected_measure,
        actual.measured,
        expected.expected
    from actual
    full outer join expected
        on actual.measure = expected.measure
    cross join known
    where
        known.measures > 0
        and (
            actual.measure is null
            or expected.measure is null
            or actual.measured <> expected.expected
        )

)

select * from differences
