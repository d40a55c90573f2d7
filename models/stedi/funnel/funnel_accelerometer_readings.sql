with readings as (

    select * from {{ ref('stg_stedi__accelerometer_readings') }}

),

trusted_readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

pairs as (

    select * from {{ ref('sensor_pairs_curated') }}

),

customers as (

    select * from {{ ref('funnel_customers') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

consent_periods as (

    -- an end for the period that is in force, too: joined by `… is null or …`, DuckDB compares each reading with each period
    select
        canonical_email,
        in_force_from,
        coalesce(in_force_until, cast('9999-12-31 23:59:59.999999' as timestamp)) as in_force_until
    from {{ ref('int_stedi__consent_periods') }}

),

reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

trusted_moments as (

    select distinct
        email,
        reading_time,
        x,
        y,
        z
    from trusted_readings

),

judged_for_trusted as (

    select
        customers.canonical_email,
        case
            when trusted_moments.email is not null then 'kept'
            when customers.trusted_outcome is null then 'unknown person'
            -- read between an old consent and the one that is in force
            when customers.trusted_outcome = 'kept' then 'withdrawn'
            else customers.trusted_outcome
        end as outcome
    from readings
    left join trusted_moments
        on
            readings.email = trusted_moments.email
            and readings.reading_time = trusted_moments.reading_time
            and readings.x = trusted_moments.x
            and readings.y = trusted_moments.y
            and readings.z = trusted_moments.z
    left join identities
        on readings.email = identities.email
    left join customers
        on identities.canonical_email = customers.canonical_email

),

known_readings as (

    select
        trusted_readings.reading_time,
        trusted_readings.x,
        trusted_readings.y,
        trusted_readings.z,
        identities.canonical_email,
        identities.customer_pseudonym
    from trusted_readings
    inner join identities
        on trusted_readings.email = identities.email

),

paired_moments as (

    select distinct
        canonical_email,
        reading_time,
        x,
        y,
        z
    from pairs

),

first_consents as (

    select
        canonical_email,
        min(in_force_from) as first_from
    from consent_periods
    group by canonical_email

),

shared_moments as (

    select distinct
        owner_token,
        sensor_reading_time
    from reading_owners
    where possible_owners > 1

),

judged_for_study as (

    select
        known_readings.canonical_email,
        case
            when paired_moments.canonical_email is not null then 'kept'
            when known_readings.reading_time < first_consents.first_from then 'before consent'
            when consent_periods.canonical_email is null then 'withdrawn'
            when shared_moments.owner_token is not null then 'ambiguous owner'
            else 'no matching reading'
        end as outcome
    from known_readings
    left join paired_moments
        on
            known_readings.canonical_email = paired_moments.canonical_email
            and known_readings.reading_time = paired_moments.reading_time
            and known_readings.x = paired_moments.x
            and known_readings.y = paired_moments.y
            and known_readings.z = paired_moments.z
    left join first_consents
        on known_readings.canonical_email = first_consents.canonical_email
    -- a moment is in one period at most
    left join consent_periods
        on
            known_readings.canonical_email = consent_periods.canonical_email
            and known_readings.reading_time >= consent_periods.in_force_from
            and known_readings.reading_time < consent_periods.in_force_until
    left join shared_moments
        on
            known_readings.customer_pseudonym = shared_moments.owner_token
            and known_readings.reading_time = shared_moments.sensor_reading_time

),

judged as (

    select
        'trusted' as layer,
        canonical_email,
        outcome
    from judged_for_trusted
    union all
    select
        'study' as layer,
        canonical_email,
        outcome
    from judged_for_study

),

counted as (

    select
        layer,
        canonical_email,
        outcome,
        count(*) as readings
    from judged
    group by
        layer,
        canonical_email,
        outcome

)

select * from counted
