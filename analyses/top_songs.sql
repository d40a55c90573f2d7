with songplays as (

    select * from {{ ref('songplays') }}

),

songs as (

    select * from {{ ref('songs') }}

),

artists as (

    select * from {{ ref('artists') }}

),

plays as (

    select
        songs.title,
        artists.name as artist,
        count(*) as plays
    from songplays
    inner join songs on songplays.song_id = songs.song_id
    inner join artists on songplays.artist_id = artists.artist_id
    group by songs.title, artists.name

)

select * from plays
order by plays desc, title asc
