with plays as (

    select * from {{ ref('int_sparkify__song_plays') }}
    where user_id is not null

),

users as (

    select * from {{ ref('users') }}

),

final as (

    select
        plays.user_id,
        plays.session_id,
        plays.item_in_session,
        plays.artist_name,
        plays.song_title,
        users.first_name,
        users.last_name
    from plays
    inner join users
        on plays.user_id = users.user_id

)

select * from final
