with songplays as (

    select * from {{ ref('songplays') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

users as (

    select * from {{ ref('users') }}

),

listeners_daily as (

    select * from {{ ref('listeners_daily') }}

),

played as (

    select
        count(*) as plays,
        count(song_id) as plays_matched,
        count(distinct user_id) as listeners,
        coalesce({{ exact_sum('song_duration_s') }}, 0) / 3600 as listening_hours
    from songplays

),

visited as (

    select
        count(*) as sessions,
        count(case when level_at_start = 'free' then 1 end) as free_sessions,
        count(case when level_at_start = 'free' and is_converted then 1 end) as converted_sessions,
        sum(plays) as plays
    from sessions

),

paying as (

    select
        count(*) as users,
        count(case when level = 'paid' then 1 end) as paid_users
    from users

),

daily as (

    select avg(cast(listeners as {{ type_double() }})) as listeners
    from listeners_daily

),

figures as (

    select
        cast(1 as integer) as place,
        cast('plays' as varchar(32)) as figure,
        cast(plays as {{ type_double() }}) as figure_value
    from played
    union all
    select
        2 as place,
        'listeners' as figure,
        cast(listeners as {{ type_double() }}) as figure_value
    from played
    union all
    select
        3 as place,
        'daily_listeners' as figure,
        listeners as figure_value
    from daily
    union all
    select
        4 as place,
        'plays_per_session' as figure,
        {{ ratio('plays', 'sessions') }} as figure_value
    from visited
    union all
    select
        5 as place,
        'listening_hours' as figure,
        cast(listening_hours as {{ type_double() }}) as figure_value
    from played
    union all
    select
        6 as place,
        'match_rate' as figure,
        {{ ratio('plays_matched', 'plays') }} as figure_value
    from played
    union all
    select
        7 as place,
        'paid_share' as figure,
        {{ ratio('paid_users', 'users') }} as figure_value
    from paying
    union all
    select
        8 as place,
        'conversion' as figure,
        {{ ratio('converted_sessions', 'free_sessions') }} as figure_value
    from visited

)

select * from figures
