-- What makes v2 the right one: each row is of one consenting customer, both halves are that customer's, the reading was taken on
-- or after the consent; and no such row of a device that has one owner is missing. Compared with the landing tables.
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

shared as (

    select serial_number
    from owners
    group by serial_number
    having count(*) > 1

),

consented_pairs as (

    select distinct
        {{ pseudonym('consenting.email') }} as customer_pseudonym,
        {{ epoch_ms_to_timestamp('readings."timestamp"') }} as reading_time,
        steps.distancefromobject as distance_from_object,
        readings.x,
        readings.y,
        readings.z,
        case when shared.serial_number is null then 1 else 0 end as is_of_sole_owner
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
    left join shared
        on owners.serial_number = shared.serial_number

),

unconsented as (

    select * from curated
    except
    select
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from consented_pairs

),

lost as (

    select
        customer_pseudonym,
        reading_time,
        distance_from_object,
        x,
        y,
        z
    from consented_pairs
    where is_of_sole_owner = 1
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
