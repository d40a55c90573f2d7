with songplays as (

    select * from {{ ref('songplays') }}

),

users as (

    select * from {{ ref('users') }}

),

plays as (

    -- by the key, since two users may share a name
    select
        users.user_id,
        users.first_name,
        users.last_name,
        users.level as level_now,
        count(*) as plays
    from songplays
    inner join users on songplays.user_id = users.user_id
    group by users.user_id, users.first_name, users.last_name, users.level

)

select * from plays
order by plays desc, user_id asc
