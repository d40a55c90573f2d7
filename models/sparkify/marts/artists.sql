with songs as (

    select * from {{ ref('stg_sparkify__songs') }}

),

credited as (

    select
        *,
        count(*) over (partition by artist_id, artist_name) as songs_under_this_name
    from songs

),

ranked as (

    -- one whole record, so that name, place and coordinates belong together: the name that most songs credit, then the record
    -- that knows the most; the rest only makes the choice repeatable
    select
        *,
        row_number() over (
            partition by artist_id
            order by
                songs_under_this_name desc,
                case when artist_latitude is null then 1 else 0 end asc,
                case when artist_location is null then 1 else 0 end asc,
                artist_name asc, artist_location asc, artist_latitude asc, artist_longitude asc, song_id asc
        ) as preference
    from credited

),

chosen as (

    select
        artist_id,
        artist_name as name,
        artist_location as location,
        artist_latitude as latitude,
        artist_longitude as longitude
    from ranked
    where preference = 1

)

select * from chosen
