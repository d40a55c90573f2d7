-- What makes v2 the right one: each row is of one consenting customer, both halves are that customer's, the reading was taken on
-- or after the consent; and no such row is missing. Compared with the landing tables.
with curated as (

    select
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from {{ ref('machine_learning_curated', v=2) }}

),

{{ consenting_in_landing() }},

owners as (

    select distinct
        serialnumber as serial_number,
        email
    from {{ source('stedi', 'customer_landing') }}

),

walkers as (

    -- of how many owners of the device there is a reading of the step's millisecond: of more than one, nobody knows whose it is
    select
        steps.serialnumber as serial_number,
        steps.sensorreadingtime as reading_time_ms,
        count(distinct owners.email) as walkers
    from {{ source('stedi', 'step_trainer_landing') }} as steps
    inner join owners
        on steps.serialnumber = owners.serial_number
    inner join {{ source('stedi', 'accelerometer_landing') }} as readings
        on
            owners.email = readings."user"
            and steps.sensorreadingtime = readings."timestamp"
    group by
        steps.serialnumber,
        steps.sensorreadingtime

),

consented_pairs as (

    select distinct
        {{ pseudonym('consenting.email') }} as customer_pseudonym,
        {{ epoch_ms_to_timestamp('readings."timestamp"') }} as reading_time,
        steps.distancefromobject as distance_from_object,
        readings.x,
        readings.y,
        readings.z
    from {{ source('stedi', 'accelerometer_landing') }} as readings
    inner join consenting
        on
            readings."user" = consenting.email
            and readings."timestamp" >= consenting.consented_at_ms
    inner join owners
        on consenting.email = owners.email
    inner join {{ source('stedi', 'step_trainer_landing') }} as steps
        on
            owners.serial_number = steps.serialnumber
            and readings."timestamp" = steps.sensorreadingtime
    inner join walkers
        on
            steps.serialnumber = walkers.serial_number
            and steps.sensorreadingtime = walkers.reading_time_ms
    where walkers.walkers = 1

),

unconsented as (

    select * from curated
    except
    select * from consented_pairs

),

lost as (

    select * from consented_pairs
    except
    select * from curated

),

faults as (

    select
        'of two people, or not consented' as fault,
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from unconsented
    union all
    select
        'lost' as fault,
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from lost

)

select * from faults
