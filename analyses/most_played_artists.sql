with songplays as (

    select * from {{ ref('songplays') }}

),

artists as (

    select * from {{ ref('artists') }}

),

plays as (

    select
        artists.artist_id,
        artists.name,
        count(*) as plays
    from songplays
    inner join artists on songplays.artist_id = artists.artist_id
    group by artists.artist_id, artists.name

)

select * from plays
order by plays desc, artist_id asc
