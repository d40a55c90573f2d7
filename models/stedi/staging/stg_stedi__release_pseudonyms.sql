with renamed as (

    select
        email,
        customer_pseudonym,
        release_pseudonym
    from {{ source('stedi', 'release_pseudonyms') }}

)

select * from renamed
