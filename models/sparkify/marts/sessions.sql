with events as (

    select * from {{ ref('events') }}
    {{ where_it_grows('session_id') }}

),

songplays as (

    select * from {{ ref('songplays') }}
    {{ where_it_grows('session_id') }}

),

ordered as (

    -- a session begins and ends with its first and last item: of two events in one millisecond the later item is the later
    select
        *,
        row_number() over (
            partition by session_id, case when level is null then 1 else 0 end
            order by item_in_session
        ) as place_from_start,
        row_number() over (
            partition by session_id, case when level is null then 1 else 0 end
            order by item_in_session desc
        ) as place_from_end,
        row_number() over (
            partition by session_id, case when user_id is null then 1 else 0 end
            order by item_in_session desc
        ) as user_recency
    from events

),

summed as (

    select
        session_id,
        -- of several users in one session, the one who was there last
        max(case when user_recency = 1 then user_id end) as user_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        cast(count(*) as integer) as events,
        max(case when place_from_start = 1 then level end) as level_at_start,
        max(case when place_from_end = 1 then level end) as level_at_end,
        max(case when page = 'Submit Upgrade' then 1 else 0 end) = 1 as is_converted
    from ordered
    group by session_id

),

listened as (

    select
        session_id,
        cast(count(*) as integer) as plays,
        {{ exact_sum('song_duration_s') }} as listening_s
    from songplays
    group by session_id

),

final as (

    select
        summed.session_id,
        summed.user_id,
        summed.started_at,
        summed.ended_at,
        summed.events,
        coalesce(listened.plays, 0) as plays,
        coalesce(listened.listening_s, 0) as listening_s,
        summed.level_at_start,
        summed.level_at_end,
        summed.is_converted
    from summed
    left join listened
        on summed.session_id = listened.session_id

)

select * from final
