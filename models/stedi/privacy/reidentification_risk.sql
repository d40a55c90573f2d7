{%- set known_readings = [1, 2, 3, 4, 5, 6, 10] -%}
with study_readings as (

    select * from {{ ref('machine_learning_curated', v=2) }}

),

study_epochs as (

    select
        customer_pseudonym,
        age_band,
        reading_time as moment,
        cast('1970-01-01' as timestamp) as epoch,
        x,
        y,
        z
    from study_readings

),

study_times as (

    select
        customer_pseudonym,
        age_band,
        {{ dbt.datediff('epoch', 'moment', 'millisecond') }} as calendar_ms,
        x,
        y,
        z
    from study_epochs

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
        calendar_ms as time_ms,
        calendar_ms,
        x,
        y,
        z
    from study_times
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

-- the linter miscounts the indents within loops
-- noqa: disable=LT02
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
        row_number() over (partition by version, pseudonym, session_number order by time_ms, motion) as place_in_session,
        count(*) over (partition by version, pseudonym, session_number) as session_readings
    from motions

),

compared as (

    -- in whose data a run of so many readings is, of a shorter session the whole: one person's alone, if the first is the last
    {% for known in known_readings %}
    {{ 'union all' if not loop.first }}
    select
        version,
        cast({{ known }} as integer) as known_readings,
        pseudonym,
        min(pseudonym) over (partition by {{ columns_of_a_run(known) }}) as first_pseudonym,
        max(pseudonym) over (partition by {{ columns_of_a_run(known) }}) as last_pseudonym
    from runs
    where
        place_in_session = 1
        or place_in_session + {{ known - 1 }} <= session_readings
    {% endfor %}

),

-- noqa: enable=LT02
people as (

    select
        version,
        known_readings,
        pseudonym,
        max(case when first_pseudonym = last_pseudonym then 1 else 0 end) as by_some,
        min(case when first_pseudonym = last_pseudonym then 1 else 0 end) as by_any
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
