with songplays as (

    select * from {{ ref('songplays') }}

),

users as (

    select * from {{ ref('users') }}

),

described as (

    select
        coalesce(songplays.level, 'unknown') as level,
        coalesce(users.gender, 'unknown') as gender,
        songplays.user_id
    from songplays
    left join users
        on songplays.user_id = users.user_id

),

counted as (

    select
        level,
        gender,
        cast(count(*) as bigint) as plays,
        cast(count(distinct user_id) as bigint) as listeners
    from described
    group by
        level,
        gender

)

select * from counted
