-- A match on the title alone, or on the artist alone, finds more songs and wrong ones.
with songplays as (

    select * from {{ ref('songplays') }}

),

plays as (

    select * from {{ ref('int_sparkify__song_plays') }}

),

catalogue as (

    select * from {{ ref('stg_sparkify__songs') }}

),

candidates as (

    select
        plays.songplay_id,
        catalogue.song_id,
        catalogue.artist_id,
        abs(catalogue.duration_s - plays.song_duration_s) as distance_s
    from plays
    inner join catalogue
        on
            plays.song_title = catalogue.title
            and plays.artist_name = catalogue.artist_name

),

closest as (

    select
        songplay_id,
        min(distance_s) as distance_s
    from candidates
    group by songplay_id

),

faults as (

    select
        songplays.songplay_id,
        songplays.song_id,
        candidates.distance_s,
        closest.distance_s as closest_distance_s
    from songplays
    left join candidates
        on
            songplays.songplay_id = candidates.songplay_id
            and songplays.song_id = candidates.song_id
            and songplays.artist_id = candidates.artist_id
    left join closest
        on songplays.songplay_id = closest.songplay_id
    where
        (songplays.song_id is not null and candidates.song_id is null)
        or (songplays.song_id is null and closest.songplay_id is not null)
        or candidates.distance_s > closest.distance_s

)

select * from faults
