with renamed as (

    select
        serial_number,
        {{ epoch_ms_to_timestamp('sensor_reading_time') }} as sensor_reading_time,
        owner_token
    from {{ source('stedi', 'step_claims') }}

)

select * from renamed
