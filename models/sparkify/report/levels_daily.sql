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

begun_and_ended as (

    -- a level that ends on the day on which it began never holds at a day's end
    select
        first_day as date_day,
        level,
        1 as users
    from intervals
    union all
    select
        last_day as date_day,
        level,
        -1 as users
    from intervals
    where last_day is not null

),

moved as (

    select
        date_day,
        sum(case when level = 'paid' then users end) as paid_users,
        sum(case when level = 'free' then users end) as free_users
    from begun_and_ended
    group by date_day

),

daily as (

    select
        dates.date_day,
        cast(coalesce(changed.upgrades, 0) as bigint) as upgrades,
        cast(coalesce(changed.downgrades, 0) as bigint) as downgrades,
        cast(coalesce(sum(moved.paid_users) over (
            order by dates.date_day
            rows between unbounded preceding and current row
        ), 0) as bigint) as paid_users,
        cast(coalesce(sum(moved.free_users) over (
            order by dates.date_day
            rows between unbounded preceding and current row
        ), 0) as bigint) as free_users
    from dates
    left join changed
        on dates.date_day = changed.date_day
    left join moved
        on dates.date_day = moved.date_day

)

select * from daily
