with events as (

    select * from {{ ref('stg_sparkify__events') }}
    {{ where_it_grows('session_id') }}

),

final as (

    select
        {{ surrogate_key(['session_id', 'item_in_session']) }} as event_id,
        occurred_at,
        cast(occurred_at as date) as event_date,
        session_id,
        item_in_session,
        user_id,
        level,
        page,
        auth,
        method,
        http_status
    from events

)

select * from final
