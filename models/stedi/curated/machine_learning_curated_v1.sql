with step_readings as (

    select * from {{ ref('step_trainer_trusted') }}

),

accelerometer_readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

paired as (

    -- on the timestamp alone, as published: customers who share a millisecond are paired with each other. v2 mends it.
    select
        accelerometer_readings.reading_time,
        step_readings.distance_from_object,
        accelerometer_readings.x,
        accelerometer_readings.y,
        accelerometer_readings.z,
        step_readings.serial_number,
        step_readings.sensor_reading_time,
        accelerometer_readings.email
    from step_readings
    inner join accelerometer_readings
        on step_readings.sensor_reading_time = accelerometer_readings.reading_time

)

select * from paired
