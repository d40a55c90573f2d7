with plays as (

    select * from {{ ref('int_sparkify__song_plays') }}
    {{ where_it_grows('session_id') }}

),

final as (

    select
        session_id,
        item_in_session,
        artist_name,
        song_title,
        song_duration_s
    from plays

)

select * from final
