with renamed as (

    -- distinct: who is known by several addresses has a row for each
    select distinct
        customer_pseudonym,
        release_pseudonym
    from {{ source('stedi', 'release_pseudonyms') }}

)

select * from renamed
