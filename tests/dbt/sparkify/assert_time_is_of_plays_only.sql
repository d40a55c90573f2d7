-- The star's time table is about plays. Taken from all events it grows by a fifth, and nothing points at the surplus. What was
-- landed last of an event decides whether it is a play, and when; if one load says several things, any of them is right.
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
        records.sessionid,
        records.iteminsession,
        records.ts,
        records.page
    from {{ source('sparkify', 'staging_events') }} as records
    inner join last_landed
        on
            records.sessionid = last_landed.sessionid
            and records.iteminsession = last_landed.iteminsession
            and records.landed_at = last_landed.landed_at

),

possible as (

    select distinct {{ epoch_ms_to_timestamp('ts') }} as start_time
    from landed
    where page = 'NextSong'

),

undisputed as (

    select
        sessionid,
        iteminsession,
        min(ts) as ts
    from landed
    group by
        sessionid,
        iteminsession
    having
        min(ts) = max(ts)
        and min(case when page = 'NextSong' then 1 else 0 end) = 1

),

certain as (

    select distinct {{ epoch_ms_to_timestamp('ts') }} as start_time
    from undisputed

),

play_times as (

    select start_time
    from {{ ref('time') }}

),

surplus as (

    select start_time from play_times
    except
    select start_time from possible

),

missing as (

    select start_time from certain
    except
    select start_time from play_times

),

faults as (

    select
        'surplus' as fault,
        start_time
    from surplus
    union all
    select
        'missing' as fault,
        start_time
    from missing

)

select * from faults
