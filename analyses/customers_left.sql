with registered as (

    select max(came_in) as customers
    from {{ ref('consent_funnel') }}
    where population = 'customers' and layer = 'trusted'

),

trusted as (

    select count(*) as customers from {{ ref('customer_trusted') }}

),

curated as (

    select count(*) as customers from {{ ref('customer_curated') }}

),

published as (

    select count(distinct release_pseudonym) as customers from {{ ref('machine_learning_curated', v=3) }}

),

steps as (

    select
        1 as step,
        'have registered' as customers_who,
        customers
    from registered
    union all
    select
        2 as step,
        'share with research' as customers_who,
        customers
    from trusted
    union all
    select
        3 as step,
        'walked with a phone' as customers_who,
        customers
    from curated
    union all
    select
        4 as step,
        'are trained on' as customers_who,
        customers
    from published

)

select * from steps
order by step
