-- Curated are the consenting customers of whom there are readings, other than of times when their consent had lapsed: nobody
-- else, and none of them twice. That none is missing is asserted of those whose consent never changed; of the others, by random
-- histories in pytest.
with {{ consenting_in_landing() }},

{{ lapses_in_landing() }},

{{ steady_in_landing() }},

walking as (

    select distinct consenting.canonical_email
    from consenting
    inner join {{ source('stedi', 'customer_identities') }} as identities
        on consenting.canonical_email = identities.canonical_email
    inner join {{ source('stedi', 'accelerometer_landing') }} as readings
        on identities.email = readings."user"
    left join lapses
        on
            consenting.canonical_email = lapses.canonical_email
            and readings."timestamp" >= lapses.lapsed_ms
            and (lapses.resumed_ms is null or readings."timestamp" < lapses.resumed_ms)
    where lapses.canonical_email is null

),

curated as (

    select identities.canonical_email
    from {{ ref('customer_curated') }} as customers
    inner join {{ source('stedi', 'customer_identities') }} as identities
        on customers.email = identities.email

),

differences as (

    select
        walking.canonical_email as walking_email,
        curated.canonical_email as curated_email
    from walking
    full outer join curated
        on walking.canonical_email = curated.canonical_email
    where
        walking.canonical_email is null
        or (
            curated.canonical_email is null
            and walking.canonical_email in (select steady.canonical_email from steady)
        )

)

select * from differences
