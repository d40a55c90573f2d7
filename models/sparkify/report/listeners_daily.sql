with dates as (

    select * from {{ ref('dates') }}

),

activity as (

    select * from {{ ref('user_activity_daily') }}
    where plays > 0

),

songplays as (

    select * from {{ ref('songplays') }}

),

first_days as (

    select
        user_id,
        min(date_day) as first_day
    from activity
    group by user_id

),

played as (

    -- of everybody, also of who is not known
    select
        cast(start_time as date) as date_day,
        count(*) as plays,
        {{ exact_sum('song_duration_s') }} as listening_s,
        count(distinct session_id) as sessions
    from songplays
    group by cast(start_time as date)

),

listened as (

    select
        activity.date_day,
        count(*) as listeners,
        count(case when activity.date_day = first_days.first_day then 1 end) as new_listeners
    from activity
    inner join first_days
        on activity.user_id = first_days.user_id
    group by activity.date_day

),

daily as (

    -- a day without a play is a day, too
    select
        dates.date_day,
        cast(coalesce(played.plays, 0) as bigint) as plays,
        coalesce(played.listening_s, 0) as listening_s,
        cast(coalesce(played.sessions, 0) as bigint) as sessions,
        cast(coalesce(listened.listeners, 0) as bigint) as listeners,
        cast(coalesce(listened.new_listeners, 0) as bigint) as new_listeners,
        cast(coalesce(listened.listeners - listened.new_listeners, 0) as bigint) as returning_listeners
    from dates
    left join played
        on dates.date_day = played.date_day
    left join listened
        on dates.date_day = listened.date_day

)

select * from daily
