-- The step trainer knows devices, not people. So: nobody who has not consented may have been able to make a trusted step, and
-- every step of a device that only one, consenting and walking, customer ever had is trusted.
with {{ consenting_in_landing() }},

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

landed as (

    select distinct
        serialnumber as serial_number,
        sensorreadingtime as reading_time_ms,
        {{ epoch_ms_to_timestamp('sensorreadingtime') }} as sensor_reading_time,
        distancefromobject as distance_from_object
    from {{ source('stedi', 'step_trainer_landing') }}

),

trusted as (

    select
        landed.serial_number,
        landed.reading_time_ms,
        landed.sensor_reading_time,
        landed.distance_from_object
    from {{ ref('step_trainer_trusted') }} as step_trainer_trusted
    left join landed
        on
            step_trainer_trusted.serial_number = landed.serial_number
            and step_trainer_trusted.sensor_reading_time = landed.sensor_reading_time
            and step_trainer_trusted.distance_from_object = landed.distance_from_object

),

never_landed as (

    select
        'never landed' as fault,
        serial_number,
        reading_time_ms
    from trusted
    where serial_number is null

),

possibly_unconsented as (

    select
        'may be of somebody who has not consented' as fault,
        trusted.serial_number,
        trusted.reading_time_ms
    from trusted
    inner join owners
        on trusted.serial_number = owners.serial_number
    left join curated
        on owners.email = curated.email
    left join walks
        on
            owners.email = walks.email
            and trusted.reading_time_ms = walks.reading_time_ms
    left join sole_owners
        on owners.serial_number = sole_owners.serial_number
    where
        curated.email is null
        and (walks.email is not null or sole_owners.email is not null)

),

of_nobody as (

    select
        'of nobody who consents' as fault,
        trusted.serial_number,
        trusted.reading_time_ms
    from trusted
    where trusted.serial_number not in (
        select owners.serial_number
        from owners
        inner join curated
            on owners.email = curated.email
    )

),

lost as (

    select
        'lost' as fault,
        landed.serial_number,
        landed.reading_time_ms
    from landed
    inner join sole_owners
        on landed.serial_number = sole_owners.serial_number
    inner join curated
        on sole_owners.email = curated.email
    left join trusted
        on
            landed.serial_number = trusted.serial_number
            and landed.reading_time_ms = trusted.reading_time_ms
            and landed.distance_from_object = trusted.distance_from_object
    where trusted.serial_number is null

),

faults as (

    select * from never_landed
    union all
    select * from possibly_unconsented
    union all
    select * from of_nobody
    union all
    select * from lost

)

select * from faults
