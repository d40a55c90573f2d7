with readings as (

    select * from {{ ref('stg_stedi__accelerometer_readings') }}

),

customers as (

    select * from {{ ref('customer_trusted') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

trusted as (

    -- what was taken before the first consent is in, as published; what was taken after an earlier one had ended is not
    select
        readings.email,
        readings.reading_time,
        readings.x,
        readings.y,
        readings.z
    from readings
    left join consent_periods
        on
            readings.email = consent_periods.email
            and readings.reading_time >= consent_periods.in_force_until
            and readings.reading_time < consent_periods.resumed_at
    where
        readings.email in (select customers.email from customers)
        and consent_periods.email is null

)

select * from trusted
