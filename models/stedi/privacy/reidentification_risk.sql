{%- set known_readings = [1, 2, 3, 4, 5, 6, 10] -%}
with study_readings as (

    select * from {{ ref('machine_learning_curated', v=2) }}

),

training_readings as (

    select * from {{ ref('machine_learning_curated', v=3) }}

),

readings as (

    -- what a version tells of when: v2 the calendar time, v3 only how long after the session's beginning
    select distinct
        cast(2 as integer) as version,
        customer_pseudonym as pseudonym,
        age_band,
        cast(1 as integer) as session_number,
        {{ dbt.datediff("timestamp '1970-01-01 00:00:00'", 'reading_time', 'millisecond') }} as time_ms,
        {{ dbt.datediff("timestamp '1970-01-01 00:00:00'", 'reading_time', 'millisecond') }} as calendar_ms,
        x,
        y,
        z
    from study_readings
    union all
    select distinct
        cast(3 as integer) as version,
        release_pseudonym as pseudonym,
        age_band,
        session_number,
        session_time_ms as time_ms,
        cast(0 as bigint) as calendar_ms,
        x,
        y,
        z
    from training_readings

),

motions as (

    -- a number for each distinct acceleration, so that one column is compared and not three
    select
        version,
        pseudonym,
        age_band,
        session_number,
        time_ms,
        calendar_ms,
        dense_rank() over (order by x, y, z) as motion
    from readings

),

runs as (

    -- each reading with those that follow it
    select
        version,
        pseudonym,
        age_band,
        calendar_ms,
        motion
        {%- for step in range(1, known_readings | max) %},
        lead(motion, {{ step }}) over (
            partition by version, pseudonym, session_number order by time_ms, motion
        ) as motion_{{ step }},
        lead(time_ms, {{ step }}) over (
            partition by version, pseudonym, session_number order by time_ms, motion
        ) - time_ms as after_ms_{{ step }}
        {%- endfor %},
        row_number() over (partition by version, pseudonym, session_number order by time_ms, motion) as position,
        count(*) over (partition by version, pseudonym, session_number) as session_readings
    from motions

),

compared as (

    -- whether a run of so many readings is in one person's data alone; of a shorter session, the whole of it
    {% for known in known_readings -%}
    {%- set what_is_known -%}
        version, age_band, calendar_ms, motion
        {%- for step in range(1, known) %}, motion_{{ step }}, after_ms_{{ step }}{% endfor -%}
    {%- endset -%}
    select
        version,
        cast({{ known }} as integer) as known_readings,
        pseudonym,
        case
            when
                min(pseudonym) over (partition by {{ what_is_known }})
                = max(pseudonym) over (partition by {{ what_is_known }}) then 1
            else 0
        end as is_theirs_alone
    from runs
    where
        position = 1
        or position + {{ known - 1 }} <= session_readings
    {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}

),

people as (

    select
        version,
        known_readings,
        pseudonym,
        max(is_theirs_alone) as by_some,
        min(is_theirs_alone) as by_any
    from compared
    group by
        version,
        known_readings,
        pseudonym

),

figures as (

    select
        version,
        known_readings,
        cast(count(*) as integer) as people,
        cast(sum(by_some) as integer) as singled_out_by_some,
        cast(sum(by_any) as integer) as singled_out_by_any
    from people
    group by
        version,
        known_readings

)

select * from figures
