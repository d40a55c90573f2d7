{%- set attributes = ['first_name', 'last_name', 'gender', 'level'] -%}

with events as (

    select * from {{ ref('stg_sparkify__events') }}
    where user_id is not null

),

ranked as (

    -- each attribute by itself, among the events that know it: an event that lacks a name takes none away.
    -- of two events in the same millisecond, the one of the later session is the later, then the later item in it
    select
        user_id,
        {%- for attribute in attributes %}
        {{ attribute }},
        row_number() over (
            partition by user_id, case when {{ attribute }} is null then 1 else 0 end
            order by occurred_at desc, session_id desc, item_in_session desc
        ) as {{ attribute }}_recency{{ ',' if not loop.last }}
        {%- endfor %}
    from events

),

latest_known as (

    select
        user_id,
        {%- for attribute in attributes %}
        max(case when {{ attribute }}_recency = 1 then {{ attribute }} end) as {{ attribute }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ranked
    group by user_id

)

select * from latest_known
