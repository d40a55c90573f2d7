with songplays as (

    select * from {{ ref('songplays') }}
    where artist_name is not null

),

counted as (

    -- by the name that the app logs: the catalogue knows few of the songs that are played
    select
        artist_name,
        cast(count(*) as bigint) as plays,
        cast(count(distinct user_id) as bigint) as listeners,
        cast(count(song_id) as bigint) as plays_matched
    from songplays
    group by artist_name

),

ranked as (

    select
        *,
        cast(row_number() over (order by plays desc, listeners desc, artist_name asc) as integer) as place
    from counted

),

first_places as (

    select
        place,
        artist_name,
        plays,
        listeners,
        plays_matched
    from ranked
    where place <= 20

)

select * from first_places
