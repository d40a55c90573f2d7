with plays as (

    select * from {{ ref('int_sparkify__song_plays') }}
    {{ where_it_grows('session_id') }}

),

songs as (

    select * from {{ ref('stg_sparkify__songs') }}

),

candidates as (

    -- title and artist make a match; where several songs share both, the closest duration decides, then the song's key
    select
        plays.songplay_id,
        songs.song_id,
        songs.artist_id,
        row_number() over (
            partition by plays.songplay_id
            order by abs(songs.duration_s - plays.song_duration_s), songs.song_id
        ) as closeness
    from plays
    inner join songs
        on
            plays.song_title = songs.title
            and plays.artist_name = songs.artist_name

),

matches as (

    select
        songplay_id,
        song_id,
        artist_id
    from candidates
    where closeness = 1

),

final as (

    -- left join: a play of a song that the catalogue lacks is still a play
    select
        plays.songplay_id,
        plays.start_time,
        plays.user_id,
        plays.level,
        matches.song_id,
        matches.artist_id,
        plays.session_id,
        plays.item_in_session,
        plays.location,
        plays.user_agent,
        plays.song_title,
        plays.artist_name,
        plays.song_duration_s
    from plays
    left join matches
        on plays.songplay_id = matches.songplay_id

)

select * from final
