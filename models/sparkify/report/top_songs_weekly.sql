with songplays as (

    select * from {{ ref('songplays') }}
    where song_title is not null

),

weekly as (

    select
        {{ iso_year('start_time') }} as iso_year,
        {{ iso_week('start_time') }} as iso_week,
        song_title,
        artist_name,
        user_id
    from songplays

),

counted as (

    select
        iso_year,
        iso_week,
        song_title,
        artist_name,
        cast(count(*) as bigint) as plays,
        cast(count(distinct user_id) as bigint) as listeners
    from weekly
    group by
        iso_year,
        iso_week,
        song_title,
        artist_name

),

ranked as (

    -- of songs that were played equally often, the one that more people heard, then the first by alphabet
    select
        *,
        cast(row_number() over (
            partition by iso_year, iso_week
            order by plays desc, listeners desc, song_title asc, artist_name asc
        ) as integer) as place
    from counted

),

first_places as (

    select
        iso_year,
        iso_week,
        place,
        song_title,
        artist_name,
        plays,
        listeners
    from ranked
    where place <= 10

)

select * from first_places
