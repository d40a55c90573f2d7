-- Twice-encoded text hides a song from the catalogue; what can be repaired must be, wherever a play's text is published.
with published as (

    select song_title as published_text
    from {{ ref('songs_by_session_item') }}
    union all
    select artist_name as published_text
    from {{ ref('songs_by_session_item') }}
    union all
    select song_title as published_text
    from {{ ref('songs_by_user_session') }}
    union all
    select artist_name as published_text
    from {{ ref('songs_by_user_session') }}
    union all
    select song_title as published_text
    from {{ ref('users_by_song') }}

),

left_garbled as (

    select published.published_text
    from published
    inner join {{ ref('stg_sparkify__text_repairs') }} as text_repairs
        on published.published_text = text_repairs.garbled_text

)

select * from left_garbled
