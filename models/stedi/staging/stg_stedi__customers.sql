with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        email,
        customername as customer_name,
        phone,
        -- years before 1000 come with three digits
        cast(lpad(nullif(birthday, ''), 10, '0') as date) as birth_day,
        serialnumber as serial_number,

        {{ epoch_ms_to_timestamp('registrationdate') }} as registration_date,
        {{ epoch_ms_to_timestamp('lastupdatedate') }} as last_update_date,
        -- '', false and 0 are how some programs write that there is none
        {{ epoch_ms_to_timestamp(
            "case when sharewithresearchasofdate in ('', 'false', '0') then null else cast(sharewithresearchasofdate as bigint) end"
        ) }} as share_with_research_as_of_date,
        {{ epoch_ms_to_timestamp(
            "case when sharewithpublicasofdate in ('', 'false', '0') then null else cast(sharewithpublicasofdate as bigint) end"
        ) }} as share_with_public_as_of_date,
        {{ epoch_ms_to_timestamp(
            "case when sharewithfriendsasofdate in ('', 'false', '0') then null else cast(sharewithfriendsasofdate as bigint) end"
        ) }} as share_with_friends_as_of_date
    from {{ source('stedi', 'customer_landing') }}

)

select * from renamed
