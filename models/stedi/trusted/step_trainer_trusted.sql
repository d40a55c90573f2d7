with reading_owners as (

    select * from {{ ref('int_stedi__step_reading_owners') }}

),

customers as (

    select * from {{ ref('customer_curated') }}

),

judged as (

    select
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners,
        count(customers.email) as consenting_owners
    from reading_owners
    left join customers
        on reading_owners.email = customers.email
    group by
        reading_owners.serial_number,
        reading_owners.sensor_reading_time,
        reading_owners.distance_from_object,
        reading_owners.possible_owners

),

trusted as (

    -- everybody who can have made the step must have consented
    select
        serial_number,
        sensor_reading_time,
        distance_from_object
    from judged
    where consenting_owners = possible_owners

)

select * from trusted
