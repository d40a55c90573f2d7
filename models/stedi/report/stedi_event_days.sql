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

{{ covered_days('days') }}

select * from covered_days
