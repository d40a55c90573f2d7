with events as (

    select * from {{ ref('stg_sparkify__events') }}
    {{ where_it_grows('session_id') }}

),

text_repairs as (

    select * from {{ ref('stg_sparkify__text_repairs') }}

),

plays as (

    select * from events
    where page = 'NextSong'

),

repaired as (

    select
        {{ surrogate_key(['plays.session_id', 'plays.item_in_session']) }} as songplay_id,
        plays.session_id,
        plays.item_in_session,
        plays.occurred_at as start_time,
        plays.user_id,
        plays.level,
        plays.location,
        plays.user_agent,
        coalesce(title_repairs.repaired_text, plays.song_title) as song_title,
        coalesce(artist_repairs.repaired_text, plays.artist_name) as artist_name,
        plays.song_duration_s,
        plays.song_title as raw_song_title,
        plays.artist_name as raw_artist_name
    from plays
    left join text_repairs as title_repairs
        on plays.song_title = title_repairs.garbled_text
    left join text_repairs as artist_repairs
        on plays.artist_name = artist_repairs.garbled_text

)

select * from repaired
