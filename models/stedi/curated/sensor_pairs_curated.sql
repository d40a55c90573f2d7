with step_readings as (

    select * from {{ ref('step_trainer_trusted') }}

),

reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

accelerometer_readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

owned_steps as (

    -- a step that two customers can have made teaches nothing about either
    select
        step_readings.sensor_reading_time,
        step_readings.distance_from_object,
        reading_owners.owner_token
    from step_readings
    inner join reading_owners
        on
            step_readings.serial_number = reading_owners.serial_number
            and step_readings.sensor_reading_time = reading_owners.sensor_reading_time
            and step_readings.distance_from_object = reading_owners.distance_from_object
    where reading_owners.possible_owners = 1

),

paired as (

    -- consent reaches neither back nor beyond its withdrawal: only what was read while it was in force is used.
    -- distinct: a reading may have come under two spellings of the address, and from two devices
    select distinct
        identities.canonical_email,
        accelerometer_readings.reading_time,
        owned_steps.distance_from_object,
        accelerometer_readings.x,
        accelerometer_readings.y,
        accelerometer_readings.z
    from owned_steps
    inner join accelerometer_readings
        on owned_steps.sensor_reading_time = accelerometer_readings.reading_time
    inner join identities
        on
            owned_steps.owner_token = identities.customer_pseudonym
            and accelerometer_readings.email = identities.email
    inner join consent_periods
        on
            identities.canonical_email = consent_periods.canonical_email
            and accelerometer_readings.reading_time >= consent_periods.in_force_from
    where
        consent_periods.in_force_until is null
        or accelerometer_readings.reading_time < consent_periods.in_force_until

)

select * from paired
