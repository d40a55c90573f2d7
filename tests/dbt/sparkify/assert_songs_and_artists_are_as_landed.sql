-- A song and an artist are one record of the catalogue, whole and unrounded: numeric(18,0) would make the duration 6.37342 a 6,
-- and a place of one record with the coordinates of another would be nowhere. A song's record is of the load that brought it
-- last.
with last_landed as (

    select
        song_id,
        max(landed_at) as landed_at
    from {{ source('sparkify', 'staging_songs') }}
    group by song_id

),

landed as (

    select distinct
        records.song_id,
        records.title,
        records.artist_id,
        records.artist_name,
        nullif(records.artist_location, '') as artist_location,
        records.artist_latitude,
        records.artist_longitude,
        records.duration,
        nullif(records.year, 0) as year
    from {{ source('sparkify', 'staging_songs') }} as records
    inner join last_landed
        on
            records.song_id = last_landed.song_id
            and records.landed_at = last_landed.landed_at

),

songs as (

    select
        song_id,
        title,
        artist_id,
        duration,
        year
    from {{ ref('songs') }}

),

artists as (

    select
        artist_id,
        name,
        location,
        latitude,
        longitude
    from {{ ref('artists') }}

),

invented_songs as (

    select * from songs
    except
    select
        song_id,
        title,
        artist_id,
        duration,
        year
    from landed

),

invented_artists as (

    select * from artists
    except
    select
        artist_id,
        artist_name,
        artist_location,
        artist_latitude,
        artist_longitude
    from landed

),

invented as (

    select
        'song' as what,
        song_id as invented_key
    from invented_songs
    union all
    select
        'artist' as what,
        artist_id as invented_key
    from invented_artists

)

select * from invented
