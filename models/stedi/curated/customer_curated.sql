with customers as (

    select * from {{ ref('customer_trusted') }}

),

accelerometer_readings as (

    select * from {{ ref('accelerometer_trusted') }}

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
    where email in (select accelerometer_readings.email from accelerometer_readings)

)

select * from curated
