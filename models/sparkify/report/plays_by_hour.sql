with songplays as (

    select * from {{ ref('songplays') }}

),

timed as (

    select
        {{ iso_weekday('start_time') }} as iso_weekday,
        cast(extract(hour from start_time) as integer) as hour,
        song_duration_s
    from songplays

),

counted as (

    select
        iso_weekday,
        hour,
        cast(count(*) as bigint) as plays,
        coalesce({{ exact_sum('song_duration_s') }}, 0) as listening_s
    from timed
    group by
        iso_weekday,
        hour

)

select * from counted
