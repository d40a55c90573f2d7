-- for the tests: what they compare the models with, worked out of the raw records and without the models
with decided as (

    select
        canonical_email,
        updated_ms,
        consented_ms
    from {{ ref('stg_stedi__check_decided') }}

),

{{ lapses_in_landing() }},

final as (

    -- a number also where consent was never given again: joined by `resumed_ms is null or …`, DuckDB compares each row with each
    select
        canonical_email,
        lapsed_ms,
        coalesce(resumed_ms, cast(9223372036854775807 as bigint)) as resumed_ms
    from lapses

)

select * from final
