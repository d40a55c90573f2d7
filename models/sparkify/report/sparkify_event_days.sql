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

{{ covered_days('days') }}

select * from covered_days
