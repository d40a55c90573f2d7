-- An inner join to the songs drops nineteen plays of twenty, a careless one doubles some: compared with the landing table, event
-- by event. What was landed last of an event decides whether it is a play; if one load says both, either is right.
with last_landed as (

    select
        sessionid,
        iteminsession,
        max(landed_at) as landed_at
    from {{ source('sparkify', 'staging_events') }}
    group by
        sessionid,
        iteminsession

),

landed as (

    select
        records.sessionid as session_id,
        records.iteminsession as item_in_session,
        min(case when records.page = 'NextSong' then 1 else 0 end) as is_a_play,
        max(case when records.page = 'NextSong' then 1 else 0 end) as may_be_a_play
    from {{ source('sparkify', 'staging_events') }} as records
    inner join last_landed
        on
            records.sessionid = last_landed.sessionid
            and records.iteminsession = last_landed.iteminsession
            and records.landed_at = last_landed.landed_at
    group by
        records.sessionid,
        records.iteminsession

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
        (songplays.session_id is null and landed.is_a_play = 1)
        or (songplays.session_id is not null and coalesce(landed.may_be_a_play, 0) = 0)

)

select * from differences
