with events as (

    select * from {{ ref('stg_sparkify__events') }}
    where user_id is not null

),

ranked as (

    -- of two events in the same millisecond, the one of the later session is the later, then the later item in it
    select
        *,
        row_number() over (
            partition by user_id
            order by occurred_at desc, session_id desc, item_in_session desc
        ) as recency
    from events

),

latest as (

    select
        user_id,
        first_name,
        last_name,
        gender,
        level
    from ranked
    where recency = 1

)

select * from latest
