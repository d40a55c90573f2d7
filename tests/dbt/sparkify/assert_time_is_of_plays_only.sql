-- The star's time table is about plays. Taken from all events it grows by a fifth, and nothing points at the surplus.
with landed as (

    select distinct {{ epoch_ms_to_timestamp('ts') }} as start_time
    from {{ source('sparkify', 'staging_events') }}
    where page = 'NextSong'

),

play_times as (

    select start_time
    from {{ ref('time') }}

),

differences as (

    select
        landed.start_time as landed_time,
        play_times.start_time as published_time
    from landed
    full outer join play_times
        on landed.start_time = play_times.start_time
    where
        landed.start_time is null
        or play_times.start_time is null

)

select * from differences
