with consent_periods as (

    select * from {{ ref('int_stedi__consent_periods') }}

),

last_landing as (

    select * from {{ ref('stg_stedi__last_landing') }}

),

periods as (

    -- up to the last landing: a consent that is dated ahead is none yet
    select
        {{ dbt.date_trunc('hour', 'consent_periods.in_force_from') }} as first_hour,
        {{ dbt.date_trunc('hour', 'consent_periods.in_force_until') }} as last_hour,
        {{ dbt.date_trunc('hour', 'last_landing.last_landed_at') }} as landing_hour
    from consent_periods
    inner join last_landing
        on consent_periods.in_force_from <= last_landing.last_landed_at

),

changes as (

    select
        first_hour as consent_hour,
        1 as given,
        0 as ended
    from periods
    union all
    select
        last_hour as consent_hour,
        0 as given,
        1 as ended
    from periods
    where last_hour <= landing_hour

),

hourly as (

    select
        consent_hour,
        sum(given) as given,
        sum(ended) as ended
    from changes
    group by consent_hour

),

summed as (

    -- only hours in which something changed: what is in force holds until the next of them
    select
        consent_hour,
        cast(given as bigint) as consents_given,
        cast(ended as bigint) as consents_ended,
        cast(sum(given - ended) over (
            order by consent_hour
            rows between unbounded preceding and current row
        ) as bigint) as in_force
    from hourly

)

select * from summed
