with renamed as (

    select
        email,
        canonical_email,
        customer_pseudonym
    from {{ source('stedi', 'customer_identities') }}

)

select * from renamed
