-- A customer without consent in the trusted zone is a breach, a consenting one missing is a loss, one who is there under two
-- spellings is two people: all fail.
with consenting as (

    select
        canonical_email,
        consented_at_ms
    from {{ ref('stg_stedi__check_consenting') }}

),

trusted as (

    select
        identities.canonical_email,
        customers.share_with_research_as_of_date
    from {{ ref('customer_trusted') }} as customers
    left join {{ ref('stg_stedi__customer_identities') }} as identities
        on customers.email = identities.email

),

differences as (

    select
        consenting.canonical_email as consenting_email,
        trusted.canonical_email as trusted_email
    from consenting
    full outer join trusted
        on
            consenting.canonical_email = trusted.canonical_email
            and {{ epoch_ms_to_timestamp('consenting.consented_at_ms') }} = trusted.share_with_research_as_of_date
    where
        consenting.canonical_email is null
        or trusted.canonical_email is null
    union all
    select
        null as consenting_email,
        canonical_email as trusted_email
    from trusted
    group by canonical_email
    having count(*) > 1

)

select * from differences
