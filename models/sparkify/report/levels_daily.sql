with dates as (

    select * from {{ ref('dates') }}

),

level_history as (

    select * from {{ ref('user_level_history') }}

),

intervals as (

    select
        user_id,
        level,
        cast(valid_from as date) as first_day,
        cast(valid_to as date) as last_day,
        lag(level) over (partition by user_id order by valid_from) as previous_level
    from level_history

),

changed as (

    select
        first_day as date_day,
        count(case when level = 'paid' and previous_level = 'free' then 1 end) as upgrades,
        count(case when level = 'free' and previous_level = 'paid' then 1 end) as downgrades
    from intervals
    group by first_day

),

held as (

    -- the level that holds at the day's end
    select
        dates.date_day,
        count(case when intervals.level = 'paid' then 1 end) as paid_users,
        count(case when intervals.level = 'free' then 1 end) as free_users
    from dates
    inner join intervals
        on
            dates.date_day >= intervals.first_day
            and (
                intervals.last_day is null
                or dates.date_day < intervals.last_day
            )
    group by dates.date_day

),

daily as (

    select
        dates.date_day,
        cast(coalesce(changed.upgrades, 0) as bigint) as upgrades,
        cast(coalesce(changed.downgrades, 0) as bigint) as downgrades,
        cast(coalesce(held.paid_users, 0) as bigint) as paid_users,
        cast(coalesce(held.free_users, 0) as bigint) as free_users
    from dates
    left join changed
        on dates.date_day = changed.date_day
    left join held
        on dates.date_day = held.date_day

)

select * from daily
