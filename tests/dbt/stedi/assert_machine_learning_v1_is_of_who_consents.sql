-- The published join may mix people up, but only consenting ones: both halves of each row must be trusted, and every trusted
-- step that has an accelerometer reading of its moment must be in it.
with curated as (

    select * from {{ ref('machine_learning_curated', v=1) }}

),

steps as (

    select * from {{ ref('step_trainer_trusted') }}

),

readings as (

    select * from {{ ref('accelerometer_trusted') }}

),

consenting as (

    select
        canonical_email,
        consented_at_ms
    from {{ ref('stg_stedi__check_consenting') }}

),

unconsented as (

    select
        email as whose,
        reading_time
    from curated
    where email not in (
        select identities.email
        from {{ ref('stg_stedi__customer_identities') }} as identities
        inner join consenting
            on identities.canonical_email = consenting.canonical_email
    )

),

untrusted_steps as (

    select
        curated.serial_number as whose,
        curated.reading_time
    from curated
    left join steps
        on
            curated.serial_number = steps.serial_number
            and curated.sensor_reading_time = steps.sensor_reading_time
            and curated.distance_from_object = steps.distance_from_object
    where steps.serial_number is null

),

mismatched as (

    select
        email as whose,
        reading_time
    from curated
    where reading_time <> sensor_reading_time

),

lost as (

    select
        steps.serial_number as whose,
        steps.sensor_reading_time as reading_time
    from steps
    inner join readings
        on steps.sensor_reading_time = readings.reading_time
    left join curated
        on
            steps.serial_number = curated.serial_number
            and steps.sensor_reading_time = curated.sensor_reading_time
            and steps.distance_from_object = curated.distance_from_object
            and readings.email = curated.email
            and readings.x = curated.x
            and readings.y = curated.y
            and readings.z = curated.z
    where curated.email is null

),

faults as (

    select
        'acceleration not consented' as fault,
        whose,
        reading_time
    from unconsented
    union all
    select
        'step not trusted' as fault,
        whose,
        reading_time
    from untrusted_steps
    union all
    select
        'two moments in one row' as fault,
        whose,
        reading_time
    from mismatched
    union all
    select
        'lost' as fault,
        whose,
        reading_time
    from lost

)

select * from faults
