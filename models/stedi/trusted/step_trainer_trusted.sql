with reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

customers as (

    select * from {{ ref('customer_curated') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

consenting as (

    select
        identities.canonical_email,
        identities.customer_pseudonym
    from customers
    inner join identities
        on customers.email = identities.email

),

judged as (

    select
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners,
        -- who consents now may have withdrawn an earlier consent before the step, and not yet have given the new one
        count(
            case when consent_periods.canonical_email is null then consenting.customer_pseudonym end
        ) as consenting_owners
    from reading_owners
    left join consenting
        on reading_owners.owner_token = consenting.customer_pseudonym
    left join consent_periods
        on
            consenting.canonical_email = consent_periods.canonical_email
            and reading_owners.sensor_reading_time >= consent_periods.in_force_until
            and reading_owners.sensor_reading_time < consent_periods.resumed_at
    group by
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners

),

trusted as (

    -- everybody who can have made the step must have consented, and who has left consents no more
    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from judged
    where consenting_owners = possible_owners

)

select * from trusted
