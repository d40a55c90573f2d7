with steps as (

    select * from {{ ref('stg_stedi__step_readings') }}

),

trusted_steps as (

    select * from {{ ref('step_trainer_trusted') }}

),

device_owners as (

    select * from {{ ref('stg_stedi__device_owners') }}

),

reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

customers as (

    select * from {{ ref('funnel_customers') }}

),

readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

pairs as (

    select * from {{ ref('sensor_pairs_curated') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

known_devices as (

    select distinct serial_number
    from device_owners

),

owners as (

    -- the one owner, or that there are several
    select
        serial_number,
        sensor_reading_time,
        distance_from_object,
        max(possible_owners) as possible_owners,
        max(owner_token) as owner_token
    from reading_owners
    group by serial_number, sensor_reading_time, distance_from_object

),

judged_for_trusted as (

    select
        case
            when trusted_steps.serial_number is not null then 'kept'
            when known_devices.serial_number is null then 'unknown device'
            when owners.possible_owners is null or owners.possible_owners > 1 then 'ambiguous owner'
            -- erased: a token is left of them, which names nobody
            when customers.trusted_outcome is null then 'unknown person'
            when customers.trusted_outcome <> 'kept' then customers.trusted_outcome
            when customers.curated_outcome <> 'kept' then customers.curated_outcome
            else 'withdrawn'
        end as outcome
    from steps
    left join trusted_steps
        on
            steps.serial_number = trusted_steps.serial_number
            and steps.sensor_reading_time = trusted_steps.sensor_reading_time
            and steps.distance_from_object = trusted_steps.distance_from_object
    left join known_devices
        on steps.serial_number = known_devices.serial_number
    left join owners
        on
            steps.serial_number = owners.serial_number
            and steps.sensor_reading_time = owners.sensor_reading_time
            and steps.distance_from_object = owners.distance_from_object
    left join customers
        on owners.owner_token = customers.customer_pseudonym

),

reading_moments as (

    select distinct
        identities.customer_pseudonym,
        readings.reading_time
    from readings
    inner join identities
        on readings.email = identities.email

),

paired_moments as (

    select distinct
        identities.customer_pseudonym,
        pairs.reading_time,
        pairs.distance_from_object
    from pairs
    inner join identities
        on pairs.canonical_email = identities.canonical_email

),

first_consents as (

    select
        identities.customer_pseudonym,
        min(consent_periods.in_force_from) as first_from
    from consent_periods
    inner join identities
        on consent_periods.canonical_email = identities.canonical_email
    group by identities.customer_pseudonym

),

judged_for_study as (

    select
        case
            when owners.possible_owners > 1 then 'ambiguous owner'
            when paired_moments.customer_pseudonym is not null then 'kept'
            when reading_moments.customer_pseudonym is null then 'no matching reading'
            when trusted_steps.sensor_reading_time < first_consents.first_from then 'before consent'
            else 'withdrawn'
        end as outcome
    from trusted_steps
    inner join owners
        on
            trusted_steps.serial_number = owners.serial_number
            and trusted_steps.sensor_reading_time = owners.sensor_reading_time
            and trusted_steps.distance_from_object = owners.distance_from_object
    left join paired_moments
        on
            owners.owner_token = paired_moments.customer_pseudonym
            and trusted_steps.sensor_reading_time = paired_moments.reading_time
            and trusted_steps.distance_from_object = paired_moments.distance_from_object
    left join reading_moments
        on
            owners.owner_token = reading_moments.customer_pseudonym
            and trusted_steps.sensor_reading_time = reading_moments.reading_time
    left join first_consents
        on owners.owner_token = first_consents.customer_pseudonym

),

judged as (

    select
        'trusted' as layer,
        outcome
    from judged_for_trusted
    union all
    select
        'study' as layer,
        outcome
    from judged_for_study

),

counted as (

    select
        layer,
        outcome,
        count(*) as readings
    from judged
    group by layer, outcome

)

select * from counted
