with sessions as (

    select * from {{ ref('sessions') }}

),

banded as (

    -- bands of growing width: most sessions are short, and few are very long
    select
        case
            when plays = 0 then 0
            when plays < 2 then 1
            when plays < 6 then 2
            when plays < 11 then 6
            when plays < 21 then 11
            when plays < 51 then 21
            else 51
        end as plays_from,
        plays,
        is_converted
    from sessions

),

counted as (

    select
        cast(plays_from as integer) as plays_from,
        cast(
            case plays_from
                when 0 then 0
                when 1 then 1
                when 2 then 5
                when 6 then 10
                when 11 then 20
                when 21 then 50
            end as integer
        ) as plays_to,
        cast(count(*) as bigint) as sessions,
        cast(count(case when is_converted then 1 end) as bigint) as converted_sessions
    from banded
    group by plays_from

)

select * from counted
