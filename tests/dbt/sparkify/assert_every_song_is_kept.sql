-- One row a song, but of every song: what was delivered twice is reduced, never lost.
with landed as (

    select distinct song_id
    from {{ source('sparkify', 'staging_songs') }}

),

lost as (

    select landed.song_id
    from landed
    left join {{ ref('songs') }} as songs
        on landed.song_id = songs.song_id
    where songs.song_id is null

)

select * from lost
