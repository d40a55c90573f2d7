with readings as (

    select * from {{ ref('machine_learning_curated', v=3) }}

),

customers as (

    select
        release_pseudonym,
        count(*) as readings
    from readings
    group by release_pseudonym

),

banded as (

    select cast(floor((readings - 1) / cast(25 as {{ type_double() }})) as integer) * 25 + 1 as readings_from
    from customers

),

counted as (

    select
        readings_from,
        readings_from + 24 as readings_to,
        cast(count(*) as bigint) as customers
    from banded
    group by readings_from

)

select * from counted
