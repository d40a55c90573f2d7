-- The history must give, for the last event of each user at each moment that knows the level, the level that it bears; users must
-- agree with the interval that is open, and lack nothing that an event knows.
with all_events as (

    select * from {{ ref('stg_sparkify__events') }}
    where user_id is not null

),

events as (

    select * from all_events
    where level is not null

),

history as (

    -- an end for the last interval, too: joined by `… or … is null`, DuckDB compares each event with each interval
    select
        user_id,
        level,
        valid_from,
        valid_to,
        coalesce(valid_to, cast('9999-12-31 23:59:59.999999' as timestamp)) as compared_to
    from {{ ref('user_level_history') }}

),

users as (

    select * from {{ ref('users') }}

),

moments as (

    -- within a moment, a session's later item comes later
    select
        user_id,
        occurred_at,
        max(session_id) as session_id
    from events
    group by
        user_id,
        occurred_at

),

last_items as (

    select
        events.user_id,
        events.occurred_at,
        events.session_id,
        max(events.item_in_session) as item_in_session
    from events
    inner join moments
        on
            events.user_id = moments.user_id
            and events.occurred_at = moments.occurred_at
            and events.session_id = moments.session_id
    group by
        events.user_id,
        events.occurred_at,
        events.session_id

),

disagreeing_history as (

    select
        events.user_id,
        events.occurred_at,
        events.level as event_level,
        history.level as published_level
    from last_items
    inner join events
        on
            last_items.session_id = events.session_id
            and last_items.item_in_session = events.item_in_session
    left join history
        on
            events.user_id = history.user_id
            and events.occurred_at >= history.valid_from
            and events.occurred_at < history.compared_to
    where
        history.level is null
        or history.level <> events.level

),

disagreeing_users as (

    select
        history.user_id,
        history.valid_from as occurred_at,
        history.level as event_level,
        users.level as published_level
    from history
    left join users
        on history.user_id = users.user_id
    where
        history.valid_to is null
        and (users.level is null or users.level <> history.level)

),

known as (

    select
        user_id,
        count(first_name) as first_names,
        count(last_name) as last_names,
        count(gender) as genders,
        count(level) as levels
    from all_events
    group by user_id

),

forgetful_users as (

    select users.user_id
    from users
    inner join known
        on users.user_id = known.user_id
    where
        (users.first_name is null and known.first_names > 0)
        or (users.last_name is null and known.last_names > 0)
        or (users.gender is null and known.genders > 0)
        or (users.level is null and known.levels > 0)

),

faults as (

    select
        'history' as fault,
        user_id,
        occurred_at,
        event_level,
        published_level
    from disagreeing_history
    union all
    select
        'users' as fault,
        user_id,
        occurred_at,
        event_level,
        published_level
    from disagreeing_users
    union all
    select
        'forgotten' as fault,
        user_id,
        cast(null as timestamp) as occurred_at,
        cast(null as varchar(16)) as event_level,
        cast(null as varchar(16)) as published_level
    from forgetful_users

)

select * from faults
