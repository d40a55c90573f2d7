-- Every reading of a consenting customer is trusted, and no other one: compared row by row with the landing table.
with {{ consenting_in_landing() }},

expected as (

    select distinct
        "user" as email,
        {{ epoch_ms_to_timestamp('"timestamp"') }} as reading_time,
        x,
        y,
        z
    from {{ source('stedi', 'accelerometer_landing') }}
    where "user" in (select consenting.email from consenting)

),

trusted as (

    select
        email,
        reading_time,
        x,
        y,
        z
    from {{ ref('accelerometer_trusted') }}

),

unconsented as (

    select * from trusted
    except
    select * from expected

),

lost as (

    select * from expected
    except
    select * from trusted

),

differences as (

    select
        'not consented' as fault,
        email,
        reading_time,
        x,
        y,
        z
    from unconsented
    union all
    select
        'lost' as fault,
        email,
        reading_time,
        x,
        y,
        z
    from lost

)

select * from differences
