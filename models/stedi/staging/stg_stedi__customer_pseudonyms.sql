with renamed as (

    select
        email,
        customer_pseudonym
    from {{ source('stedi', 'customer_pseudonyms') }}

)

select * from renamed
