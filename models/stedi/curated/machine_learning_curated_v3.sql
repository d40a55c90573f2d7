with readings as (

    select * from {{ ref('machine_learning_curated', v=2) }}

),

profiles as (

    select * from {{ ref('int_stedi__customer_profiles') }}

),

moments as (

    select distinct
        customer_pseudonym,
        reading_time
    from readings

),

followed as (

    select
        customer_pseudonym,
        reading_time,
        lag(reading_time) over (partition by customer_pseudonym order by reading_time) as previous_reading_time
    from moments

),

positioned as (

    -- a long pause begins a session
    select
        customer_pseudonym,
        reading_time,
        cast(sum(
            case
                when
                    {{ dbt.datediff('previous_reading_time', 'reading_time', 'millisecond') }}
                    <= {{ var('session_gap_minutes') }} * 60000 then 0
                else 1
            end
        ) over (
            partition by customer_pseudonym order by reading_time
            rows between unbounded preceding and current row
        ) as integer) as session_position
    from followed

),

sessions as (

    select
        customer_pseudonym,
        session_position,
        min(reading_time) as began_at
    from positioned
    group by
        customer_pseudonym,
        session_position

),

numbered as (

    -- in an order by chance, another one in each release: an order by time would tell which session came first
    select
        sessions.customer_pseudonym,
        sessions.session_position,
        sessions.began_at,
        profiles.release_pseudonym,
        cast(row_number() over (
            partition by sessions.customer_pseudonym
            order by {{ surrogate_key([
                'sessions.customer_pseudonym', 'profiles.release_pseudonym', 'sessions.session_position'
            ]) }}
        ) as integer) as session_number
    from sessions
    inner join profiles
        on sessions.customer_pseudonym = profiles.customer_pseudonym

),

released as (

    select
        readings.reading_time,
        readings.distance_from_object,
        readings.x,
        readings.y,
        readings.z,
        numbered.release_pseudonym,
        numbered.session_number,
        numbered.began_at,
        readings.age_band
    from readings
    inner join positioned
        on
            readings.customer_pseudonym = positioned.customer_pseudonym
            and readings.reading_time = positioned.reading_time
    inner join numbered
        on
            positioned.customer_pseudonym = numbered.customer_pseudonym
            and positioned.session_position = numbered.session_position

),

timed as (

    select
        distance_from_object,
        x,
        y,
        z,
        release_pseudonym,
        session_number,
        cast(
            {{ dbt.datediff('began_at', 'reading_time', 'millisecond') }}
            as bigint
        ) as session_time_ms,
        age_band
    from released

),

in_random_order as (

    -- by the pseudonym, which is random: the order in which rows were landed is that of the customers
    select *
    from timed
    order by
        release_pseudonym, session_number, session_time_ms, distance_from_object, x, y, z

)

select * from in_random_order
