with funnel as (

    select * from {{ ref('consent_funnel') }}

),

consenting as (

    select
        sum(records) as customers,
        sum(case when outcome = 'kept' then records else 0 end) as consenting_customers
    from funnel
    where
        population = 'customers'
        and layer = 'trusted'

),

covered as (

    select
        sum(records) as readings,
        sum(case when outcome = 'kept' then records else 0 end) as readings_used
    from funnel
    where
        population = 'accelerometer readings'
        and layer = 'study'

),

figures as (

    select
        cast(1 as integer) as place,
        cast('consent_rate' as varchar(32)) as figure,
        {{ ratio('consenting_customers', 'customers') }} as figure_value
    from consenting
    union all
    select
        2 as place,
        'coverage' as figure,
        {{ ratio('readings_used', 'readings') }} as figure_value
    from covered

)

select * from figures
