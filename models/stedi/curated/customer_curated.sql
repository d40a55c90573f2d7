with customers as (

    select * from {{ ref('customer_trusted') }}

),

accelerometer_readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

walking as (

    select distinct identities.canonical_email
    from accelerometer_readings
    inner join identities
        on accelerometer_readings.email = identities.email

),

walking_spellings as (

    select identities.email
    from identities
    inner join walking
        on identities.canonical_email = walking.canonical_email

),

curated as (

    -- a semi-join: a plain join would repeat each customer for every reading
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
    from customers
    where email in (select walking_spellings.email from walking_spellings)

)

select * from curated
