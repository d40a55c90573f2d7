-- Nobody can be singled out by their age band: each that is published, `withheld` included, is that of several customers. Where
-- there are fewer customers than that in all, they cannot hide among each other; then nothing else is published.
with bands as (

    select * from {{ ref('published_anonymity') }}

),

counted as (

    select
        version,
        age_band,
        customers,
        count(*) over (partition by version) as published_bands
    from bands

),

singled_out as (

    select
        version,
        age_band,
        customers
    from counted
    where
        customers < {{ var('minimum_group_size') }}
        and (age_band <> 'withheld' or published_bands > 1)

)

select * from singled_out
