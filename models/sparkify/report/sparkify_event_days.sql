with events as (

    select * from {{ ref('events') }}

),

songplays as (

    select * from {{ ref('songplays') }}

),

days as (

    select
        'events' as records_of,
        event_date as date_day
    from events
    union all
    select
        'plays' as records_of,
        cast(start_time as date) as date_day
    from songplays

),

bounds as (

    select
        records_of,
        min(date_day) as first_on,
        max(date_day) as last_on,
        count(distinct date_day) as days_with
    from days
    group by records_of

),

covered as (

    select
        cast(records_of as varchar(32)) as records_of,
        first_on,
        last_on,
        cast(days_with as integer) as days_with,
        cast(
            {{ dbt.datediff('first_on', 'last_on', 'day') }}
            + 1 - days_with as integer
        ) as days_without
    from bounds

)

select * from covered
