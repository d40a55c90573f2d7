with snapshots as (

    select * from {{ ref('consent_periods_snapshot') }}

),

history as (

    select
        customer_pseudonym,
        consented_from,
        consented_until,
        dbt_valid_from as known_from,
        dbt_valid_to as known_until
    from snapshots

)

select * from history
