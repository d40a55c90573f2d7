with events as (

    select * from {{ ref('stg_sparkify__events') }}
    where
        user_id is not null
        and level is not null

),

ranked as (

    -- of two events in the same millisecond, the one of the later session is the later, then the later item in it
    select
        user_id,
        level,
        occurred_at,
        row_number() over (
            partition by user_id, occurred_at
            order by session_id desc, item_in_session desc
        ) as recency
    from events

),

compared as (

    select
        user_id,
        level,
        occurred_at,
        lag(level) over (partition by user_id order by occurred_at) as previous_level
    from ranked
    where recency = 1

),

changes as (

    select
        user_id,
        level,
        occurred_at
    from compared
    where
        previous_level is null
        or previous_level <> level

),

intervals as (

    select
        user_id,
        level,
        occurred_at as valid_from,
        lead(occurred_at) over (partition by user_id order by occurred_at) as valid_to,
        cast('1970-01-01' as timestamp) as epoch
    from changes

),

keyed as (

    -- the milliseconds as a number: engines spell a time in ways of their own
    select
        user_id,
        level,
        valid_from,
        valid_to,
        {{ surrogate_key(['user_id', dbt.datediff('epoch', 'valid_from', 'millisecond')]) }} as user_level_id,
        valid_to is null as is_current
    from intervals

)

select * from keyed
