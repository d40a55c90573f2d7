-- No engine here enforces keys. A dimension with two rows for one key multiplies the plays that point at it, and every total
-- over the star with them.
with star as (

    select songplays.songplay_id
    from {{ ref('songplays') }} as songplays
    left join {{ ref('users') }} as users
        on songplays.user_id = users.user_id
    left join {{ ref('songs') }} as songs
        on songplays.song_id = songs.song_id
    left join {{ ref('artists') }} as artists
        on songplays.artist_id = artists.artist_id
    left join {{ ref('time') }} as play_times
        on songplays.start_time = play_times.start_time

),

counted as (

    select
        (select count(*) from star) as rows_in_star,
        (select count(*) from {{ ref('songplays') }}) as plays

)

select * from counted
where rows_in_star <> plays
