with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        song_id,
        title,
        artist_id,
        artist_name,
        nullif(artist_location, '') as artist_location,
        artist_latitude,
        artist_longitude,
        duration as duration_s,
        cast(nullif(year, 0) as integer) as year
    from {{ source('sparkify', 'staging_songs') }}

)

select * from renamed
