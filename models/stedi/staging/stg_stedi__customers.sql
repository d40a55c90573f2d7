with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        email,
        customername as customer_name,
        phone,
        -- years before 1000 come with three digits
        cast(lpad(nullif(birthday, ''), 10, '0') as date) as birth_day,
        nullif(serialnumber, '') as serial_number,

        {{ epoch_ms_to_timestamp('registrationdate') }} as registration_date,
        {{ epoch_ms_to_timestamp('lastupdatedate') }} as last_update_date,
        {{ epoch_ms_to_timestamp(epoch_ms_or_none('sharewithresearchasofdate')) }} as share_with_research_as_of_date,
        {{ epoch_ms_to_timestamp(epoch_ms_or_none('sharewithpublicasofdate')) }} as share_with_public_as_of_date,
        {{ epoch_ms_to_timestamp(epoch_ms_or_none('sharewithfriendsasofdate')) }} as share_with_friends_as_of_date,
        {{ epoch_ms_to_timestamp('landed_at') }} as landed_at
    from {{ source('stedi', 'customer_landing') }}

)

select * from renamed
