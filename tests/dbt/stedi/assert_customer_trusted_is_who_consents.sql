-- A customer without consent in the trusted zone is a breach, a consenting one missing is a loss: both fail.
with {{ consenting_in_landing() }},

trusted as (

    select
        email,
        share_with_research_as_of_date
    from {{ ref('customer_trusted') }}

),

differences as (

    select
        consenting.email as consenting_email,
        trusted.email as trusted_email
    from consenting
    full outer join trusted
        on
            consenting.email = trusted.email
            and {{ epoch_ms_to_timestamp('consenting.consented_at_ms') }} = trusted.share_with_research_as_of_date
    where
        consenting.email is null
        or trusted.email is null

)

select * from differences
