-- Every reading of a consenting customer is trusted, unless their consent had lapsed, and no other one: compared row by row with
-- the landing table. That nothing is lost is asserted of those whose consent never changed; of the others, by random histories in
-- pytest.
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

landed as (

    select distinct
        identities.canonical_email,
        readings."user" as email,
        readings."timestamp" as reading_time_ms,
        {{ epoch_ms_to_timestamp('readings."timestamp"') }} as reading_time,
        readings.x,
        readings.y,
        readings.z
    from {{ source('stedi', 'accelerometer_landing') }} as readings
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on readings."user" = identities.email

),

allowed as (

    select
        landed.email,
        landed.reading_time,
        landed.x,
        landed.y,
        landed.z
    from landed
    left join lapses
        on
            landed.canonical_email = lapses.canonical_email
            and landed.reading_time_ms >= lapses.lapsed_ms
            and landed.reading_time_ms < lapses.resumed_ms
    where
        landed.canonical_email in (select consenting.canonical_email from consenting)
        and lapses.canonical_email is null

),

expected as (

    select
        email,
        reading_time,
        x,
        y,
        z
    from landed
    where
        canonical_email in (select consenting.canonical_email from consenting)
        and canonical_email in (select steady.canonical_email from steady)

),

trusted as (

    select
        email,
        reading_time,
        x,
        y,
        z
    from {{ ref('accelerometer_trusted') }}

),

unconsented as (

    select * from trusted
    except
    select * from allowed

),

lost as (

    select * from expected
    except
    select * from trusted

),

differences as (

    select
        'not consented' as fault,
        email,
        reading_time,
        x,
        y,
        z
    from unconsented
    union all
    select
        'lost' as fault,
        email,
        reading_time,
        x,
        y,
        z
    from lost

)

select * from differences
