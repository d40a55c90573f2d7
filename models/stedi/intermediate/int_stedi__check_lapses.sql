-- for the tests: what they compare the models with, worked out of the raw records and without the models
with decided as (

    select
        canonical_email,
        updated_ms,
        consented_ms
    from {{ ref('stg_stedi__check_decided') }}

),

{{ lapses_in_landing() }}

select * from lapses
