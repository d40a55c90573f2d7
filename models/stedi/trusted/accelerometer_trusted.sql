with readings as (

    select * from {{ ref('stg_stedi__accelerometer_readings') }}

),

customers as (

    select * from {{ ref('customer_trusted') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

consenting as (

    select identities.canonical_email
    from customers
    inner join identities
        on customers.email = identities.email

),

spellings as (

    -- the app and the website need not spell an address alike
    select
        identities.email,
        identities.canonical_email
    from identities
    inner join consenting
        on identities.canonical_email = consenting.canonical_email

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
    inner join spellings
        on readings.email = spellings.email
    left join consent_periods
        on
            spellings.canonical_email = consent_periods.canonical_email
            and readings.reading_time >= consent_periods.in_force_until
            and readings.reading_time < consent_periods.resumed_at
    where consent_periods.canonical_email is null

)

select * from trusted
