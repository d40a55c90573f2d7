{%- set latest_first = 'occurred_at desc, session_id desc, item_in_session desc' -%}

with events as (

    select * from {{ ref('stg_sparkify__events') }}
    where user_id is not null

),

ranked as (

    -- each attribute by itself, among the events that know it: an event that lacks a name takes none away.
    -- of two events in the same millisecond, the one of the later session is the later, then the later item in it
    select
        *,
        row_number() over (
            partition by user_id, case when first_name is null then 1 else 0 end
            order by {{ latest_first }}
        ) as first_name_recency,
        row_number() over (
            partition by user_id, case when last_name is null then 1 else 0 end
            order by {{ latest_first }}
        ) as last_name_recency,
        row_number() over (
            partition by user_id, case when gender is null then 1 else 0 end
            order by {{ latest_first }}
        ) as gender_recency,
        row_number() over (
            partition by user_id, case when level is null then 1 else 0 end
            order by {{ latest_first }}
        ) as level_recency
    from events

),

latest_known as (

    select
        user_id,
        max(case when first_name_recency = 1 then first_name end) as first_name,
        max(case when last_name_recency = 1 then last_name end) as last_name,
        max(case when gender_recency = 1 then gender end) as gender,
        max(case when level_recency = 1 then level end) as level,
        min(registered_at) as registered_at
    from ranked
    group by user_id

)

select * from latest_known
