with step_readings as (

    select * from {{ ref('step_trainer_trusted') }}

),

reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

accelerometer_readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

profiles as (

    select * from {{ ref('int_stedi__customer_profiles') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

owned_steps as (

    -- a step that two customers can have made teaches nothing about either
    select
        step_readings.sensor_reading_time,
        step_readings.distance_from_object,
        reading_owners.owner_token
    from step_readings
    inner join reading_owners
        on
            step_readings.serial_number = reading_owners.serial_number
            and step_readings.sensor_reading_time = reading_owners.sensor_reading_time
            and step_readings.distance_from_object = reading_owners.distance_from_object
    where reading_owners.possible_owners = 1

),

paired as (

    -- consent reaches neither back nor beyond its withdrawal: only what was read while it was in force is used.
    -- distinct: a reading may have come under two spellings of the address
    select distinct
        identities.canonical_email,
        accelerometer_readings.reading_time,
        owned_steps.distance_from_object,
        accelerometer_readings.x,
        accelerometer_readings.y,
        accelerometer_readings.z
    from owned_steps
    inner join accelerometer_readings
        on owned_steps.sensor_reading_time = accelerometer_readings.reading_time
    inner join identities
        on
            owned_steps.owner_token = identities.customer_pseudonym
            and accelerometer_readings.email = identities.email
    inner join consent_periods
        on
            identities.canonical_email = consent_periods.canonical_email
            and accelerometer_readings.reading_time >= consent_periods.in_force_from
    where
        consent_periods.in_force_until is null
        or accelerometer_readings.reading_time < consent_periods.in_force_until

),

paired_customers as (

    select distinct canonical_email
    from paired

),

age_bands as (

    select
        profiles.age_band,
        count(*) as customers
    from profiles
    inner join paired_customers
        on profiles.canonical_email = paired_customers.canonical_email
    group by profiles.age_band

),

ranked_age_bands as (

    select
        age_band,
        customers,
        min(customers) over () as customers_in_smallest,
        coalesce(sum(customers) over (
            order by customers, age_band
            rows between unbounded preceding and 1 preceding
        ), 0) as customers_in_smaller
    from age_bands

),

published_age_bands as (

    -- small groups are withheld, and so many of the next larger ones that whoever is withheld is in a large group, too
    select
        age_band,
        case
            when
                customers < {{ var('minimum_group_size') }}
                or (
                    customers_in_smallest < {{ var('minimum_group_size') }}
                    and customers_in_smaller < {{ var('minimum_group_size') }}
                ) then 'withheld'
            else age_band
        end as published_age_band
    from ranked_age_bands

),

pseudonymous as (

    select
        paired.reading_time,
        paired.distance_from_object,
        paired.x,
        paired.y,
        paired.z,
        profiles.customer_pseudonym,
        cast(published_age_bands.published_age_band as varchar(16)) as age_band
    from paired
    inner join profiles
        on paired.canonical_email = profiles.canonical_email
    inner join published_age_bands
        on profiles.age_band = published_age_bands.age_band

)

select * from pseudonymous
