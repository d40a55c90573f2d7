-- An inner join to the songs drops nineteen plays of twenty, a careless one doubles some: compared with the landing table, event
-- by event.
with landed as (

    select distinct
        sessionid as session_id,
        iteminsession as item_in_session
    from {{ source('sparkify', 'staging_events') }}
    where page = 'NextSong'

),

songplays as (

    select
        session_id,
        item_in_session
    from {{ ref('songplays') }}

),

differences as (

    select
        landed.session_id as landed_session_id,
        songplays.session_id as songplays_session_id
    from landed
    full outer join songplays
        on
            landed.session_id = songplays.session_id
            and landed.item_in_session = songplays.item_in_session
    where
        landed.session_id is null
        or songplays.session_id is null

)

select * from differences
