-- The star's time table is about plays. Taken from all events it grows by a fifth, and nothing points at the surplus. Compared
-- with the events, of which another test says that they are what was landed.
with plays as (

    select distinct occurred_at as start_time
    from {{ ref('stg_sparkify__events') }}
    where page = 'NextSong'

),

play_times as (

    select start_time
    from {{ ref('time') }}

),

faults as (

    select
        case when plays.start_time is null then 'surplus' else 'missing' end as fault,
        coalesce(plays.start_time, play_times.start_time) as start_time
    from plays
    full outer join play_times
        on plays.start_time = play_times.start_time
    where
        plays.start_time is null
        or play_times.start_time is null

)

select * from faults
