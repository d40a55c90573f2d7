with identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

records as (

    select * from {{ ref('int_stedi__customer_records') }}

),

consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

suspensions as (

    select * from {{ ref('stg_stedi__customer_suspensions') }}

),

consenting as (

    select * from {{ ref('customer_trusted') }}

),

walking as (

    select * from {{ ref('customer_curated') }}

),

people as (

    select distinct
        records.canonical_email,
        identities.customer_pseudonym
    from records
    inner join identities
        on records.canonical_email = identities.canonical_email

),

consents as (

    select
        canonical_email,
        max(case when in_force_until is null then 1 else 0 end) as has_open_consent
    from consent_periods
    group by canonical_email

),

suspended as (

    select distinct canonical_email
    from suspensions

),

trusted as (

    select identities.canonical_email
    from consenting
    inner join identities
        on consenting.email = identities.email

),

curated as (

    select identities.canonical_email
    from walking
    inner join identities
        on walking.email = identities.email

),

outcomes as (

    -- that a person is in is what the trusted layer says; only why another one is not is worked out here
    select
        people.canonical_email,
        people.customer_pseudonym,
        case
            when trusted.canonical_email is not null then 'kept'
            when suspended.canonical_email is not null then 'suspended'
            -- dated ahead of the last landing
            when consents.has_open_consent = 1 then 'before consent'
            when consents.has_open_consent = 0 then 'withdrawn'
            else 'no consent'
        end as trusted_outcome,
        case
            when curated.canonical_email is not null then 'kept'
            when trusted.canonical_email is not null then 'no reading'
        end as curated_outcome
    from people
    left join consents
        on people.canonical_email = consents.canonical_email
    left join suspended
        on people.canonical_email = suspended.canonical_email
    left join trusted
        on people.canonical_email = trusted.canonical_email
    left join curated
        on people.canonical_email = curated.canonical_email

)

select * from outcomes
