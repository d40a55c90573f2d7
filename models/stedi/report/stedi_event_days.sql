with customers as (

    select * from {{ ref('int_stedi__customer_records') }}

),

accelerometer_readings as (

    select * from {{ ref('stg_stedi__accelerometer_readings') }}

),

step_readings as (

    select * from {{ ref('stg_stedi__step_readings') }}

),

days as (

    select
        'customer records' as records_of,
        cast(last_update_date as date) as date_day
    from customers
    union all
    select
        'accelerometer readings' as records_of,
        cast(reading_time as date) as date_day
    from accelerometer_readings
    union all
    select
        'step readings' as records_of,
        cast(sensor_reading_time as date) as date_day
    from step_readings

),

bounds as (

    select
        records_of,
        min(date_day) as first_on,
        max(date_day) as last_on,
        count(distinct date_day) as days_with
    from days
    group by records_of

),

covered as (

    select
        cast(records_of as varchar(32)) as records_of,
        first_on,
        last_on,
        cast(days_with as integer) as days_with,
        cast(
            {{ dbt.datediff('first_on', 'last_on', 'day') }}
            + 1 - days_with as integer
        ) as days_without
    from bounds

)

select * from covered
