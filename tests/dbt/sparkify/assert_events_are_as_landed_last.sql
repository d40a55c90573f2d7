-- A corrected event replaces the one before it, whole. Compared with the landing table by its latest time, without windows; which
-- of several records of one load is taken is another test's matter.
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
        {{ epoch_ms_to_timestamp('records.ts') }} as occurred_at,
        cast(nullif(records.userid, '') as integer) as user_id,
        nullif(records.level, '') as level,
        records.page,
        nullif(records.song, '') as song_title,
        nullif(records.artist, '') as artist_name,
        records.length as song_duration_s
    from {{ source('sparkify', 'staging_events') }} as records
    inner join last_landed
        on
            records.sessionid = last_landed.sessionid
            and records.iteminsession = last_landed.iteminsession
            and records.landed_at = last_landed.landed_at

),

staged as (

    select
        session_id,
        item_in_session,
        occurred_at,
        user_id,
        level,
        page,
        song_title,
        artist_name,
        song_duration_s
    from {{ ref('stg_sparkify__events') }}

),

invented as (

    select * from staged
    except
    select * from landed

),

lost as (

    select
        last_landed.sessionid,
        last_landed.iteminsession
    from last_landed
    left join staged
        on
            last_landed.sessionid = staged.session_id
            and last_landed.iteminsession = staged.item_in_session
    where staged.session_id is null

),

faults as (

    select
        'invented' as fault,
        session_id,
        item_in_session
    from invented
    union all
    select
        'lost' as fault,
        sessionid as session_id,
        iteminsession as item_in_session
    from lost

)

select * from faults
