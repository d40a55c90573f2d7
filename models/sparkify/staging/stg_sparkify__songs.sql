with records as (

    select
        song_id,
        title,
        artist_id,
        artist_name,
        nullif(artist_location, '') as artist_location,
        artist_latitude,
        artist_longitude,
        duration as duration_s,
        cast(nullif(year, 0) as integer) as year,
        landed_at
    from {{ source('sparkify', 'staging_songs') }}

),

ranked as (

    -- what was landed last corrects what came before. Of one load, the record that knows the year wins, then the one that knows
    -- the artist's place; the rest only makes the choice repeatable
    select
        *,
        row_number() over (
            partition by song_id
            order by
                landed_at desc,
                case when year is null then 1 else 0 end asc,
                case when artist_latitude is null then 1 else 0 end asc,
                case when artist_location is null then 1 else 0 end asc,
                title asc, artist_id asc, artist_name asc, artist_location asc, duration_s asc, year asc,
                artist_latitude asc, artist_longitude asc
        ) as preference
    from records

),

chosen as (

    select
        song_id,
        title,
        artist_id,
        artist_name,
        artist_location,
        artist_latitude,
        artist_longitude,
        duration_s,
        year
    from ranked
    where preference = 1

)

select * from chosen
