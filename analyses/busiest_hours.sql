with songplays as (

    select * from {{ ref('songplays') }}

),

play_times as (

    select * from {{ ref('time') }}

),

plays as (

    select
        play_times.hour,
        count(*) as plays,
        count(distinct songplays.user_id) as listeners
    from songplays
    inner join play_times on songplays.start_time = play_times.start_time
    group by play_times.hour

)

select * from plays
order by plays desc, hour asc
