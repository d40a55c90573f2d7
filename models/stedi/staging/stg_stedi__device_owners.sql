with renamed as (

    select
        serial_number,
        owner_token
    from {{ source('stedi', 'device_owners') }}

)

select * from renamed
