{#- For tests: who ever registered a device, and whose phone was read in the millisecond of a step. Gives common table expressions, of
    which the last, `walkers`, has one row per step and owner who can have made it. -#}
{% macro claims_on_steps() -%}
device_owners as (

    -- whoever registers a device in a record that is there, or did in one that is gone
    select
        customers.serial_number,
        identities.customer_pseudonym as owner_token
    from {{ ref('stg_stedi__customers') }} as customers
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on customers.email = identities.email
    where customers.serial_number is not null
    union
    select
        serial_number,
        owner_token
    from {{ ref('stg_stedi__device_owners') }}

),

walkers as (

    -- whose phone was read in the step's millisecond, as is landed or was before
    select
        steps.serial_number,
        steps.sensor_reading_time,
        device_owners.owner_token
    from {{ ref('stg_stedi__step_readings') }} as steps
    inner join device_owners
        on steps.serial_number = device_owners.serial_number
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on device_owners.owner_token = identities.customer_pseudonym
    inner join {{ ref('stg_stedi__accelerometer_readings') }} as readings
        on
            identities.email = readings.email
            and steps.sensor_reading_time = readings.reading_time
    union
    select
        serial_number,
        sensor_reading_time,
        owner_token
    from {{ ref('stg_stedi__step_claims') }}

)
{%- endmacro %}
