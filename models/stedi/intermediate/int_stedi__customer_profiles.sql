with customers as (

    select * from {{ ref('int_stedi__customer_records') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

pseudonyms as (

    -- a person has as many rows there as their address has spellings
    select distinct
        canonical_email,
        customer_pseudonym
    from identities

),

ages as (

    -- by the calendar year of the last update: an age that grew from reading to reading would tell the birthday
    select
        canonical_email,
        extract(year from last_update_date) - extract(year from birth_day) as age_years
    from customers
    where recency = 1

),

profiles as (

    select
        ages.canonical_email,
        pseudonyms.customer_pseudonym,
        case
            when ages.age_years < 18 then 'under 18'
            when ages.age_years < 35 then '18 to 34'
            when ages.age_years < 55 then '35 to 54'
            when ages.age_years < 75 then '55 to 74'
            when ages.age_years >= 75 then '75 and over'
            else 'unknown'
        end as age_band
    from ages
    left join pseudonyms
        on ages.canonical_email = pseudonyms.canonical_email

)

select * from profiles
