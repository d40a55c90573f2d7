with step_readings as (

    select * from {{ ref('stg_stedi__step_readings') }}

),

customers as (

    select * from {{ ref('stg_stedi__customers') }}

),

accelerometer_readings as (

    select * from {{ ref('stg_stedi__accelerometer_readings') }}

),

owners as (

    -- whoever ever registered the device, by any record: a step taken on it last year may be theirs
    select distinct
        serial_number,
        email
    from customers

),

counted_owners as (

    select
        serial_number,
        email,
        count(*) over (partition by serial_number) as device_owners
    from owners

),

walks as (

    -- a phone that was read shows that its owner was on the trainer at that moment
    select distinct
        email,
        reading_time
    from accelerometer_readings

),

candidates as (

    -- where several customers share a serial number, only those who were walking can have made the step
    select
        step_readings.serial_number,
        step_readings.sensor_reading_time,
        step_readings.distance_from_object,
        counted_owners.email
    from step_readings
    inner join counted_owners
        on step_readings.serial_number = counted_owners.serial_number
    left join walks
        on
            counted_owners.email = walks.email
            and step_readings.sensor_reading_time = walks.reading_time
    where
        counted_owners.device_owners = 1
        or walks.email is not null

),

final as (

    select
        serial_number,
        sensor_reading_time,
        distance_from_object,
        email,
        cast(
            count(*) over (partition by serial_number, sensor_reading_time, distance_from_object) as integer
        ) as possible_owners
    from candidates

)

select * from final
