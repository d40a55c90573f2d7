with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        "user" as email,
        {{ epoch_ms_to_timestamp('"timestamp"') }} as reading_time,
        x,
        y,
        z
    from {{ source('stedi', 'accelerometer_landing') }}

)

select * from renamed
