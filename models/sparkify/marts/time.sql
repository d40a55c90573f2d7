with songplays as (

    select * from {{ ref('songplays') }}

),

play_times as (

    select distinct start_time
    from songplays

),

parts as (

    select
        start_time,
        cast(extract(hour from start_time) as integer) as hour,
        cast(extract(day from start_time) as integer) as day,
        {{ iso_week('start_time') }} as week,
        cast(extract(month from start_time) as integer) as month,
        cast(extract(year from start_time) as integer) as year,
        {{ iso_weekday('start_time') }} as weekday,
        {{ iso_year('start_time') }} as iso_year
    from play_times

)

select * from parts
