with records as (

    select * from {{ ref('int_stedi__customer_records') }}

),

consenting as (

    -- the latest record decides
    select
        email,
        customer_name,
        phone,
        birth_day,
        serial_number,
        registration_date,
        last_update_date,
        share_with_research_as_of_date,
        share_with_public_as_of_date,
        share_with_friends_as_of_date
    from records
    where
        recency = 1
        and share_with_research_as_of_date is not null

)

select * from consenting
