with customers as (

    select * from {{ ref('int_stedi__customer_records') }}

),

pseudonyms as (

    select * from {{ ref('stg_stedi__customer_pseudonyms') }}

),

ages as (

    -- by the calendar year of the last update: an age that grew from reading to reading would tell the birthday
    select
        email,
        extract(year from last_update_date) - extract(year from birth_day) as age_years
    from customers
    where recency = 1

),

profiles as (

    select
        ages.email,
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
        on ages.email = pseudonyms.email

)

select * from profiles
