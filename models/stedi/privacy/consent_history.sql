with snapshots as (

    select * from {{ ref('consent_periods_snapshot') }}

),

history as (

    select
        customer_pseudonym,
        consented_from,
        consented_until,
        cast(dbt_valid_from as {{ dbt.type_timestamp() }}) as known_from,
        cast(dbt_valid_to as {{ dbt.type_timestamp() }}) as known_until
    from snapshots

)

select * from history
