{#- Works the consent out of the raw records once more, without windows and without the models, so that a test that compares
    with it does not follow the models into their mistakes. -#}
{% macro consenting_in_landing() -%}
    select
        records.email,
        max(records.sharewithresearchasofdate) as consented_at_ms
    from {{ source('stedi', 'customer_landing') }} as records
    inner join (
        select
            email,
            max(lastupdatedate) as lastupdatedate
        from {{ source('stedi', 'customer_landing') }}
        group by email
    ) as last_updates
        on
            records.email = last_updates.email
            and records.lastupdatedate = last_updates.lastupdatedate
    inner join (
        select
            email,
            lastupdatedate,
            max(registrationdate) as registrationdate
        from {{ source('stedi', 'customer_landing') }}
        group by email, lastupdatedate
    ) as last_registrations
        on
            records.email = last_registrations.email
            and records.lastupdatedate = last_registrations.lastupdatedate
            and records.registrationdate = last_registrations.registrationdate
    group by records.email
    having count(*) = count(records.sharewithresearchasofdate)
{%- endmacro %}
