-- Curated are the consenting customers of whom there are readings, other than of times when their consent had lapsed: nobody
-- else, and none of them twice. That none is missing is asserted of those whose consent never changed; of the others, by random
-- histories in pytest.
with {{ consenting_in_landing() }},

{{ lapses_in_landing() }},

{{ steady_in_landing() }},

walking as (

    select distinct consenting.email
    from consenting
    inner join {{ source('stedi', 'accelerometer_landing') }} as readings
        on consenting.email = readings."user"
    left join lapses
        on
            consenting.email = lapses.email
            and readings."timestamp" >= lapses.lapsed_ms
            and (lapses.resumed_ms is null or readings."timestamp" < lapses.resumed_ms)
    where lapses.email is null

),

curated as (

    select email
    from {{ ref('customer_curated') }}

),

differences as (

    select
        walking.email as walking_email,
        curated.email as curated_email
    from walking
    full outer join curated
        on walking.email = curated.email
    where
        walking.email is null
        or (
            curated.email is null
            and walking.email in (select steady.email from steady)
        )

)

select * from differences
