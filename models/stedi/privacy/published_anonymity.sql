with readings as (

    select * from {{ ref('machine_learning_curated', v=2) }}

),

groups as (

    select
        age_band,
        cast(count(distinct customer_pseudonym) as integer) as customers,
        cast(count(*) as integer) as readings
    from readings
    group by age_band

)

select * from groups
