-- The step trainer knows devices, not people. A step is trusted if, and only if, everybody who can have made it is a consenting
-- customer of whom there are readings, and nobody's consent had lapsed: compared with the landing tables. That nothing is lost is
-- asserted where no owner's consent ever changed; of the others, by random histories in pytest.
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

{{ claims_on_steps() }},

sole_owners as (

    select serial_number
    from device_owners
    group by serial_number
    having count(*) = 1

),

walking as (

    select distinct identities.canonical_email
    from {{ ref('stg_stedi__accelerometer_readings') }} as readings
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on readings.email = identities.email

),

people as (

    select distinct
        identities.customer_pseudonym,
        identities.canonical_email,
        consenting.canonical_email as consenting_email,
        steady.canonical_email as steady_email
    from {{ ref('stg_stedi__customer_identities') }} as identities
    inner join walking
        on identities.canonical_email = walking.canonical_email
    inner join consenting
        on identities.canonical_email = consenting.canonical_email
    left join steady
        on identities.canonical_email = steady.canonical_email

),

judged as (

    -- who can have made the step: the only owner that the device ever had, or of several those whose phone was read just then
    select
        landed.serialnumber as serial_number,
        {{ epoch_ms_to_timestamp('landed.sensorreadingtime') }} as sensor_reading_time,
        landed.distancefromobject as distance_from_object,
        count(distinct device_owners.owner_token) as owners,
        count(distinct case when lapses.canonical_email is null then people.consenting_email end) as consenting_owners,
        count(distinct people.steady_email) as steady_owners
    from {{ source('stedi', 'step_trainer_landing') }} as landed
    inner join device_owners
        on landed.serialnumber = device_owners.serial_number
    left join sole_owners
        on device_owners.serial_number = sole_owners.serial_number
    left join walkers
        on
            device_owners.serial_number = walkers.serial_number
            and device_owners.owner_token = walkers.owner_token
            and {{ epoch_ms_to_timestamp('landed.sensorreadingtime') }} = walkers.sensor_reading_time
    left join people
        on device_owners.owner_token = people.customer_pseudonym
    left join lapses
        on
            people.canonical_email = lapses.canonical_email
            and landed.sensorreadingtime >= lapses.lapsed_ms
            and landed.sensorreadingtime < lapses.resumed_ms
    where
        sole_owners.serial_number is not null
        or walkers.owner_token is not null
    group by
        landed.serialnumber,
        landed.sensorreadingtime,
        landed.distancefromobject

),

allowed as (

    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from judged
    where owners = consenting_owners

),

expected as (

    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from judged
    where owners = steady_owners

),

trusted as (

    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from {{ ref('step_trainer_trusted') }}

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

faults as (

    select
        'may be of somebody who has not consented' as fault,
        serial_number,
        sensor_reading_time,
        distance_from_object
    from unconsented
    union all
    select
        'lost' as fault,
        serial_number,
        sensor_reading_time,
        distance_from_object
    from lost

)

select * from faults
