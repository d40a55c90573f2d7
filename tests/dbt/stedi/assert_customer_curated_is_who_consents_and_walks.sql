-- Curated are the consenting customers of whom there are readings, other than of times when their consent had lapsed: nobody
-- else, and none of them twice. That none is missing is asserted of those whose consent never changed; of the others, by random
-- histories in pytest.
with consenting as (

    select
        canonical_email,
        consented_at_ms
    from {{ ref('stg_stedi__check_consenting') }}

),

lapses as (

    select
        canonical_email,
        lapsed_ms,
        resumed_ms
    from {{ ref('int_stedi__check_lapses') }}

),

decided as (

    select
        canonical_email,
        updated_ms,
        consented_ms
    from {{ ref('stg_stedi__check_decided') }}

),

{{ steady_in_landing() }},

walking as (

    select distinct consenting.canonical_email
    from consenting
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on consenting.canonical_email = identities.canonical_email
    inner join {{ source('stedi', 'accelerometer_landing') }} as readings
        on identities.email = readings."user"
    left join lapses
        on
            consenting.canonical_email = lapses.canonical_email
            and readings."timestamp" >= lapses.lapsed_ms
            and readings."timestamp" < lapses.resumed_ms
    where lapses.canonical_email is null

),

curated as (

    select identities.canonical_email
    from {{ ref('customer_curated') }} as customers
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
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
