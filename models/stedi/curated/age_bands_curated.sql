with pairs as (

    select * from {{ ref('sensor_pairs_curated') }}

),

profiles as (

    select * from {{ ref('int_stedi__customer_profiles') }}

),

paired_customers as (

    select distinct canonical_email
    from pairs

),

counted as (

    select
        profiles.age_band,
        cast(count(*) as integer) as customers
    from profiles
    inner join paired_customers
        on profiles.canonical_email = paired_customers.canonical_email
    group by profiles.age_band

),

ranked as (

    select
        age_band,
        customers,
        min(customers) over () as customers_in_smallest,
        coalesce(sum(customers) over (
            order by customers, age_band
            rows between unbounded preceding and 1 preceding
        ), 0) as customers_in_smaller
    from counted

),

published as (

    -- small groups are withheld, and so many of the next larger ones that whoever is withheld is in a large group, too
    select
        cast(age_band as varchar(16)) as age_band,
        customers,
        cast(
            case
                when
                    customers < {{ var('minimum_group_size') }}
                    or (
                        customers_in_smallest < {{ var('minimum_group_size') }}
                        and customers_in_smaller < {{ var('minimum_group_size') }}
                    ) then 'withheld'
                else age_band
            end as varchar(16)
        ) as published_age_band
    from ranked

)

select * from published
