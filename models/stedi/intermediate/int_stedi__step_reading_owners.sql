with step_readings as (

    select * from {{ ref('stg_stedi__step_readings') }}

),

device_owners as (

    select * from {{ ref('stg_stedi__device_owners') }}

),

step_claims as (

    select * from {{ ref('stg_stedi__step_claims') }}

),

counted_owners as (

    -- whoever ever registered the device, by any record that is there or was: a step taken on it last year may be theirs
    select
        serial_number,
        owner_token,
        count(*) over (partition by serial_number) as owners_of_device
    from device_owners

),

candidates as (

    -- where several customers share a serial number, only those who were walking can have made the step
    select
        step_readings.serial_number,
        step_readings.sensor_reading_time,
        step_readings.distance_from_object,
        counted_owners.owner_token
    from step_readings
    inner join counted_owners
        on step_readings.serial_number = counted_owners.serial_number
    left join step_claims
        on
            step_readings.serial_number = step_claims.serial_number
            and step_readings.sensor_reading_time = step_claims.sensor_reading_time
            and counted_owners.owner_token = step_claims.owner_token
    where
        counted_owners.owners_of_device = 1
        or step_claims.owner_token is not null

),

final as (

    select
        serial_number,
        sensor_reading_time,
        distance_from_object,
        owner_token,
        cast(
            count(*) over (partition by serial_number, sensor_reading_time, distance_from_object) as integer
        ) as possible_owners
    from candidates

)

select * from final
