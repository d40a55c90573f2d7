with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        serialnumber as serial_number,
        {{ epoch_ms_to_timestamp('sensorreadingtime') }} as sensor_reading_time,
        cast(distancefromobject as integer) as distance_from_object
    from {{ source('stedi', 'step_trainer_landing') }}

)

select * from renamed
