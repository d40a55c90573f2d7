-- The step trainer knows devices, not people. A step is trusted if, and only if, everybody who can have made it is a consenting
-- customer of whom there are readings, and nobody's consent had lapsed: compared with the landing tables. That nothing is lost is
-- asserted where no owner's consent ever changed; of the others, by random histories in pytest.
with {{ consenting_in_landing() }},

{{ lapses_in_landing() }},

{{ steady_in_landing() }},

walks as (

    select distinct
        "user" as email,
        "timestamp" as reading_time_ms
    from {{ source('stedi', 'accelerometer_landing') }}

),

curated as (

    select consenting.email
    from consenting
    where consenting.email in (select walks.email from walks)

),

owners as (

    select distinct
        serialnumber as serial_number,
        email
    from {{ source('stedi', 'customer_landing') }}

),

sole_owners as (

    select
        serial_number,
        max(email) as email
    from owners
    group by serial_number
    having count(*) = 1

),

judged as (

    -- who can have made the step: the only owner of the device, or of several those whose accelerometer was read just then
    select
        landed.serialnumber as serial_number,
        {{ epoch_ms_to_timestamp('landed.sensorreadingtime') }} as sensor_reading_time,
        landed.distancefromobject as distance_from_object,
        count(*) as owners,
        count(case when lapses.email is null then curated.email end) as consenting_owners,
        count(case when curated.email is not null then steady.email end) as steady_owners
    from {{ source('stedi', 'step_trainer_landing') }} as landed
    inner join owners
        on landed.serialnumber = owners.serial_number
    left join sole_owners
        on owners.serial_number = sole_owners.serial_number
    left join walks
        on
            owners.email = walks.email
            and landed.sensorreadingtime = walks.reading_time_ms
    left join curated
        on owners.email = curated.email
    left join steady
        on owners.email = steady.email
    left join lapses
        on
            owners.email = lapses.email
            and landed.sensorreadingtime >= lapses.lapsed_ms
            and (lapses.resumed_ms is null or landed.sensorreadingtime < lapses.resumed_ms)
    where
        sole_owners.email is not null
        or walks.email is not null
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
