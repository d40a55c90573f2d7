with events as (

    select * from {{ ref('events') }}
    where user_id is not null

),

songplays as (

    select * from {{ ref('songplays') }}

),

listened as (

    select
        user_id,
        cast(start_time as date) as date_day,
        cast(count(*) as integer) as plays,
        {{ exact_sum('song_duration_s') }} as listening_s
    from songplays
    where user_id is not null
    group by
        user_id,
        cast(start_time as date)

),

active as (

    select
        user_id,
        event_date as date_day,
        cast(count(distinct session_id) as integer) as sessions,
        cast(count(*) as integer) as events
    from events
    group by
        user_id,
        event_date

),

final as (

    select
        active.user_id,
        active.date_day,
        active.sessions,
        active.events,
        coalesce(listened.plays, 0) as plays,
        coalesce(listened.listening_s, 0) as listening_s
    from active
    left join listened
        on
            active.user_id = listened.user_id
            and active.date_day = listened.date_day

)

select * from final
