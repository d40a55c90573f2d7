with customers as (

    select * from {{ ref('stg_stedi__customers') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

records as (

    select * from {{ ref('int_stedi__customer_records') }}

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

    -- a blank is nobody's address
    select distinct
        identities.canonical_email,
        identities.customer_pseudonym
    from customers
    inner join identities
        on customers.email = identities.email
    where identities.canonical_email <> ''

),

judged as (

    select
        canonical_email,
        max(case when share_with_research_as_of_date is not null then 1 else 0 end) as ever_consented,
        max(case when recency = 1 and share_with_research_as_of_date is null then 1 else 0 end) as denies_now
    from records
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
            when judged.denies_now = 1 and judged.ever_consented = 1 then 'withdrawn'
            when judged.denies_now = 1 then 'no consent'
            else 'before consent'
        end as trusted_outcome,
        case
            when curated.canonical_email is not null then 'kept'
            when trusted.canonical_email is not null then 'no reading'
        end as curated_outcome
    from people
    left join judged
        on people.canonical_email = judged.canonical_email
    left join suspended
        on people.canonical_email = suspended.canonical_email
    left join trusted
        on people.canonical_email = trusted.canonical_email
    left join curated
        on people.canonical_email = curated.canonical_email

)

select * from outcomes
