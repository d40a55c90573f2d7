{#- Works the consent out of the raw records once more, without windows and without the models, so that a test that compares
    with it does not follow the models into their mistakes. Gives common table expressions, of which the last, `consenting`,
    is the one to use. -#}
{% macro consenting_in_landing() -%}
last_updates as (

    select
        email,
        max(lastupdatedate) as lastupdatedate
    from {{ source('stedi', 'customer_landing') }}
    group by email

),

last_registrations as (

    select
        records.email,
        records.lastupdatedate,
        max(records.registrationdate) as registrationdate
    from {{ source('stedi', 'customer_landing') }} as records
    inner join last_updates
        on
            records.email = last_updates.email
            and records.lastupdatedate = last_updates.lastupdatedate
    group by
        records.email,
        records.lastupdatedate

),

consenting as (

    -- of several records that are the last, each must consent
    select
        records.email,
        max(case when records.sharewithresearchasofdate in ('', 'false', '0') then null else cast(records.sharewithresearchasofdate as bigint) end) as consented_at_ms
    from {{ source('stedi', 'customer_landing') }} as records
    inner join last_registrations
        on
            records.email = last_registrations.email
            and records.lastupdatedate = last_registrations.lastupdatedate
            and records.registrationdate = last_registrations.registrationdate
    group by records.email
    having count(*) = count(case when records.sharewithresearchasofdate in ('', 'false', '0') then null else cast(records.sharewithresearchasofdate as bigint) end)

)
{%- endmacro %}
