with study_readings as (

    select * from {{ ref('machine_learning_curated', v=2) }}

),

training_readings as (

    select * from {{ ref('machine_learning_curated', v=3) }}

),

readings as (

    select
        cast(2 as integer) as version,
        age_band,
        customer_pseudonym as pseudonym
    from study_readings
    union all
    select
        cast(3 as integer) as version,
        age_band,
        release_pseudonym as pseudonym
    from training_readings

),

groups as (

    select
        version,
        age_band,
        cast(count(distinct pseudonym) as integer) as customers,
        cast(count(*) as integer) as readings
    from readings
    group by
        version,
        age_band

)

select * from groups
