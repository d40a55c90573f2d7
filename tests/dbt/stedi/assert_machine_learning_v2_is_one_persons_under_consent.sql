-- What makes v2 the right one: each row is of one consenting customer, both halves are that customer's, the reading was taken
-- while the consent was in force; and no such row is missing. Compared with the landing tables. That nothing is missing is
-- asserted from the latest consent on, and where no record denies it; of the periods before, by random histories in pytest.
with curated as (

    select
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from {{ ref('machine_learning_curated', v=2) }}

),

consenting as (

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

first_consents as (

    select
        canonical_email,
        min(consented_ms) as consented_ms
    from decided
    group by canonical_email

),

{{ claims_on_steps() }},

contested as (

    -- a step of which somebody else can have made it, too, or could have
    select
        serial_number,
        sensor_reading_time
    from walkers
    group by
        serial_number,
        sensor_reading_time
    having count(*) > 1

),

pairs as (

    select distinct
        consenting.canonical_email,
        readings."timestamp" as reading_time_ms,
        consenting.consented_at_ms,
        identities.customer_pseudonym,
        {{ epoch_ms_to_timestamp('readings."timestamp"') }} as reading_time,
        steps.distancefromobject as distance_from_object,
        readings.x,
        readings.y,
        readings.z
    from {{ source('stedi', 'accelerometer_landing') }} as readings
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on readings."user" = identities.email
    inner join consenting
        on identities.canonical_email = consenting.canonical_email
    inner join device_owners
        on identities.customer_pseudonym = device_owners.owner_token
    inner join {{ source('stedi', 'step_trainer_landing') }} as steps
        on
            device_owners.serial_number = steps.serialnumber
            and readings."timestamp" = steps.sensorreadingtime
    left join contested
        on
            steps.serialnumber = contested.serial_number
            and {{ epoch_ms_to_timestamp('steps.sensorreadingtime') }} = contested.sensor_reading_time
    where contested.serial_number is null

),

allowed_pairs as (

    select
        pairs.customer_pseudonym,
        pairs.reading_time,
        pairs.distance_from_object,
        pairs.x,
        pairs.y,
        pairs.z
    from pairs
    inner join first_consents
        on
            pairs.canonical_email = first_consents.canonical_email
            and pairs.reading_time_ms >= first_consents.consented_ms
    left join lapses
        on
            pairs.canonical_email = lapses.canonical_email
            and pairs.reading_time_ms >= lapses.lapsed_ms
            and pairs.reading_time_ms < lapses.resumed_ms
    where lapses.canonical_email is null

),

expected_pairs as (

    select
        pairs.customer_pseudonym,
        pairs.reading_time,
        pairs.distance_from_object,
        pairs.x,
        pairs.y,
        pairs.z
    from pairs
    left join decided as denials
        on
            pairs.canonical_email = denials.canonical_email
            and pairs.consented_at_ms <= denials.updated_ms
            and denials.consented_ms is null
    where
        pairs.reading_time_ms >= pairs.consented_at_ms
        and denials.canonical_email is null

),

unconsented as (

    select * from curated
    except
    select * from allowed_pairs

),

lost as (

    select * from expected_pairs
    except
    select * from curated

),

faults as (

    select
        'of two people, or not consented' as fault,
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from unconsented
    union all
    select
        'lost' as fault,
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from lost

)

select * from faults
