with renamed as (

    select
        canonical_email,
        source as source_location,
        source_file,
        cast(line as integer) as line_number
    from {{ source('stedi', 'customer_suspensions') }}

)

select * from renamed
