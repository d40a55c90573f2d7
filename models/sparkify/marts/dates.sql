with events as (

    select * from {{ ref('events') }}

),

bounds as (

    select
        min(event_date) as first_date,
        max(event_date) as last_date
    from events

),

{{ days_within('bounds', 'first_date', 'last_date') }},

parts as (

    select
        date_day,
        cast(extract(day from date_day) as integer) as day,
        cast(extract(month from date_day) as integer) as month,
        cast(extract(quarter from date_day) as integer) as quarter,
        cast(extract(year from date_day) as integer) as year,
        {{ iso_weekday('date_day') }} as weekday,
        {{ iso_week('date_day') }} as week,
        {{ iso_year('date_day') }} as iso_year
    from days_within

)

select * from parts
