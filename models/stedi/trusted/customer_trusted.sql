with records as (

    select * from {{ ref('int_stedi__customer_records') }}

),

suspensions as (

    select * from {{ ref('stg_stedi__customer_suspensions') }}

),

last_landing as (

    select * from {{ ref('stg_stedi__last_landing') }}

),

consenting as (

    -- the latest record decides; a consent counts from its date on; who a record is about that cannot be read may have withdrawn
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
        and share_with_research_as_of_date <= (select last_landing.last_landed_at from last_landing)
        and canonical_email not in (select suspensions.canonical_email from suspensions)

)

select * from consenting
