with reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

customers as (

    select * from {{ ref('customer_curated') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

judged as (

    select
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners,
        -- who consents now may have withdrawn an earlier consent before the step, and not yet have given the new one
        count(case when consent_periods.email is null then customers.email end) as consenting_owners
    from reading_owners
    left join customers
        on reading_owners.email = customers.email
    left join consent_periods
        on
            reading_owners.email = consent_periods.email
            and reading_owners.sensor_reading_time >= consent_periods.in_force_until
            and reading_owners.sensor_reading_time < consent_periods.resumed_at
    group by
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners

),

trusted as (

    -- everybody who can have made the step must have consented
    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from judged
    where consenting_owners = possible_owners

)

select * from trusted
