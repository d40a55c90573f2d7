-- Curated are the consenting customers of whom there are readings: nobody else, and none of them twice or missing.
with {{ consenting_in_landing() }},

walking as (

    select consenting.email
    from consenting
    where consenting.email in (
        select readings."user"
        from {{ source('stedi', 'accelerometer_landing') }} as readings
    )

),

curated as (

    select email
    from {{ ref('customer_curated') }}

),

differences as (

    select
        walking.email as walking_email,
        curated.email as curated_email
    from walking
    full outer join curated
        on walking.email = curated.email
    where
        walking.email is null
        or curated.email is null

)

select * from differences
