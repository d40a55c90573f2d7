-- An inner join to the songs drops nineteen plays of twenty, a careless one doubles some: compared with the events, of which
-- another test says that they are what was landed.
with plays as (

    select
        session_id,
        item_in_session
    from {{ ref('stg_sparkify__events') }}
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
        plays.session_id as play_session_id,
        songplays.session_id as songplays_session_id
    from plays
    full outer join songplays
        on
            plays.session_id = songplays.session_id
            and plays.item_in_session = songplays.item_in_session
    where
        plays.session_id is null
        or songplays.session_id is null

)

select * from differences
