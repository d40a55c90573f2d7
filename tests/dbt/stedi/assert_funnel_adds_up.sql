-- Nothing is lost between two layers, and what a layer keeps is what it holds: of any data, whatever the reasons are.
with funnel as (

    select * from {{ ref('consent_funnel') }}

),

held as (

    select
        'customers' as population,
        1 as layer_position,
        count(*) as records
    from {{ ref('customer_trusted') }}
    union all
    select
        'customers' as population,
        2 as layer_position,
        count(*) as records
    from {{ ref('customer_curated') }}
    union all
    select
        'customers' as population,
        3 as layer_position,
        count(distinct customer_pseudonym) as records
    from {{ ref('machine_learning_curated', v=2) }}
    union all
    select
        'accelerometer readings' as population,
        1 as layer_position,
        count(*) as records
    from {{ ref('accelerometer_trusted') }}
    union all
    select
        'step readings' as population,
        1 as layer_position,
        count(*) as records
    from {{ ref('step_trainer_trusted') }}

),

kept as (

    select
        population,
        layer_position,
        max(came_in) as came_in,
        sum(records) as all_records,
        sum(case when outcome = 'kept' then records else 0 end) as records
    from funnel
    group by
        population,
        layer_position

),

compared as (

    select
        population,
        layer_position,
        came_in,
        all_records,
        records,
        lead(came_in) over (partition by population order by layer_position) as next_came_in
    from kept

),

lost as (

    select
        'a layer''s outcomes do not add up' as mistake,
        population,
        layer_position,
        came_in as expected,
        all_records as found
    from compared
    where came_in <> all_records
    union all
    select
        'what was kept did not come in' as mistake,
        population,
        layer_position,
        records as expected,
        next_came_in as found
    from compared
    where next_came_in <> records
    union all
    select
        'the layer holds something else' as mistake,
        held.population,
        held.layer_position,
        held.records as expected,
        compared.records as found
    from held
    left join compared
        on
            held.population = compared.population
            and held.layer_position = compared.layer_position
    where held.records <> coalesce(compared.records, 0)

)

select * from lost
