with plays as (

    select * from {{ ref('int_sparkify__song_plays') }}

),

users as (

    select * from {{ ref('users') }}

),

listeners as (

    select distinct
        song_title,
        user_id
    from plays
    where
        song_title is not null
        and user_id is not null

),

final as (

    select
        listeners.song_title,
        listeners.user_id,
        users.first_name,
        users.last_name
    from listeners
    inner join users
        on listeners.user_id = users.user_id

)

select * from final
