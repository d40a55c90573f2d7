with renamed as (

    select
        canonical_email,
        source,
        source_file,
        cast(line as integer) as line
    from {{ source('stedi', 'customer_suspensions') }}

)

select * from renamed
