with records as (

    select * from {{ ref('stg_sparkify__songs') }}

),

ranked as (

    -- the record that knows the year wins, then the one that knows the artist's place; the rest only makes the choice repeatable
    select
        *,
        row_number() over (
            partition by song_id
            order by
                case when year is null then 1 else 0 end,
                case when artist_latitude is null then 1 else 0 end,
                case when artist_location is null then 1 else 0 end,
                title, artist_id, artist_name, artist_location, duration_s, year, artist_latitude, artist_longitude
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
