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

release_pseudonyms as (

    select * from {{ ref('stg_stedi__release_pseudonyms') }}

),

release_people as (

    -- who is known by several addresses has a row for each
    select distinct
        customer_pseudonym,
        release_pseudonym
    from release_pseudonyms

),

registrations as (

    select
        canonical_email,
        min(coalesce(registration_date, last_update_date)) as registered_at
    from customers
    group by canonical_email

),

ages as (

    -- in the calendar year of the first registration, which no later record moves: an age that grows moves a person from one band
    -- into the next, and who compares two builds then knows the year of their birth
    select
        customers.canonical_email,
        extract(year from registrations.registered_at) - extract(year from customers.birth_day) as age_years
    from customers
    inner join registrations
        on customers.canonical_email = registrations.canonical_email
    where customers.recency = 1

),

profiles as (

    select
        ages.canonical_email,
        pseudonyms.customer_pseudonym,
        release_people.release_pseudonym,
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
    left join release_people
        on pseudonyms.customer_pseudonym = release_people.customer_pseudonym

)

select * from profiles
