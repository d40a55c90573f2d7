-- What makes v2 the right one: each row is of one consenting customer, both halves are that customer's, the reading was taken
-- while the consent was in force; and no such row is missing. Compared with the landing tables. That nothing is missing is
-- asserted from the latest consent on, and where no record denies it; of the periods before, by random histories in pytest.
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

{{ lapses_in_landing() }},

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

pairs as (

    select distinct
        consenting.email,
        readings."timestamp" as reading_time_ms,
        consenting.consented_at_ms,
        pseudonyms.customer_pseudonym,
        {{ epoch_ms_to_timestamp('readings."timestamp"') }} as reading_time,
        steps.distancefromobject as distance_from_object,
        readings.x,
        readings.y,
        readings.z
    from {{ source('stedi', 'accelerometer_landing') }} as readings
    inner join consenting
        on readings."user" = consenting.email
    inner join {{ source('stedi', 'customer_pseudonyms') }} as pseudonyms
        on consenting.email = pseudonyms.email
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

allowed_pairs as (

    select
        pairs.customer_pseudonym,
        pairs.reading_time,
        pairs.distance_from_object,
        pairs.x,
        pairs.y,
        pairs.z
    from pairs
    inner join first_consents
        on
            pairs.email = first_consents.email
            and pairs.reading_time_ms >= first_consents.consented_ms
    left join lapses
        on
            pairs.email = lapses.email
            and pairs.reading_time_ms >= lapses.lapsed_ms
            and (lapses.resumed_ms is null or pairs.reading_time_ms < lapses.resumed_ms)
    where lapses.email is null

),

expected_pairs as (

    select
        pairs.customer_pseudonym,
        pairs.reading_time,
        pairs.distance_from_object,
        pairs.x,
        pairs.y,
        pairs.z
    from pairs
    left join lapses
        on
            pairs.email = lapses.email
            and pairs.consented_at_ms <= lapses.lapsed_ms
    where
        pairs.reading_time_ms >= pairs.consented_at_ms
        and lapses.email is null

),

unconsented as (

    select * from curated
    except
    select * from allowed_pairs

),

lost as (

    select * from expected_pairs
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
