with songplays as (

    select * from {{ ref('songplays') }}

),

plays as (

    select
        level,
        count(*) as plays,
        count(distinct user_id) as listeners,
        count(distinct session_id) as sessions
    from songplays
    group by level

)

select * from plays
order by plays desc, level asc
