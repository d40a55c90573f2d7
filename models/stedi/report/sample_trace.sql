with readings as (

    select * from {{ ref('machine_learning_curated', v=3) }}

),

sessions as (

    select
        release_pseudonym,
        session_number,
        count(*) as readings
    from readings
    group by
        release_pseudonym,
        session_number

),

ranked as (

    select
        *,
        row_number() over (order by readings desc, release_pseudonym asc, session_number asc) as place
    from sessions

),

trace as (

    select
        readings.release_pseudonym,
        readings.session_time_ms,
        readings.distance_from_object,
        readings.x,
        readings.y,
        readings.z
    from readings
    inner join ranked
        on
            readings.release_pseudonym = ranked.release_pseudonym
            and readings.session_number = ranked.session_number
    where ranked.place = 1

)

select * from trace
