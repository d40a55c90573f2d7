with customers as (

    select * from {{ ref('funnel_customers') }}

),

readings as (

    select * from {{ ref('funnel_accelerometer_readings') }}

),

steps as (

    select * from {{ ref('funnel_step_readings') }}

),

best_readings as (

    -- why nothing of a person is in the study: what became of the reading that came furthest
    select
        canonical_email,
        min(
            case outcome
                when 'kept' then 1
                when 'ambiguous owner' then 2
                when 'no matching reading' then 3
                when 'withdrawn' then 4
                else 5
            end
        ) as furthest
    from readings
    where layer = 'study'
    group by canonical_email

),

customers_in_study as (

    select
        case best_readings.furthest
            when 1 then 'kept'
            when 2 then 'ambiguous owner'
            when 3 then 'no matching reading'
            when 4 then 'withdrawn'
            else 'before consent'
        end as outcome
    from customers
    left join best_readings
        on customers.canonical_email = best_readings.canonical_email
    where customers.curated_outcome = 'kept'

),

outcomes as (

    select
        'customers' as population,
        1 as layer_position,
        'trusted' as layer,
        trusted_outcome as outcome,
        1 as records
    from customers
    union all
    select
        'customers' as population,
        2 as layer_position,
        'curated' as layer,
        curated_outcome as outcome,
        1 as records
    from customers
    where curated_outcome is not null
    union all
    select
        'customers' as population,
        3 as layer_position,
        'study' as layer,
        outcome,
        1 as records
    from customers_in_study
    union all
    select
        'accelerometer readings' as population,
        case layer when 'trusted' then 1 else 2 end as layer_position,
        layer,
        outcome,
        readings as records
    from readings
    union all
    select
        'step readings' as population,
        case layer when 'trusted' then 1 else 2 end as layer_position,
        layer,
        outcome,
        readings as records
    from steps

),

counted as (

    select
        population,
        layer_position,
        layer,
        outcome,
        sum(records) as records
    from outcomes
    group by
        population,
        layer_position,
        layer,
        outcome

),

funnel as (

    select
        cast(population as varchar(32)) as population,
        cast(layer_position as integer) as layer_position,
        cast(layer as varchar(16)) as layer,
        cast(outcome as varchar(32)) as outcome,
        cast(records as bigint) as records,
        cast(sum(records) over (partition by population, layer_position) as bigint) as came_in
    from counted

)

select * from funnel
