{#- Works out of the raw records when consent had lapsed, without windows and without the models. Gives common table expressions, of
    which the last, `lapses`, goes from a record without consent until consent was given again. -#}
{% macro lapses_in_landing() -%}
decided_registrations as (

    select
        email,
        lastupdatedate,
        max(registrationdate) as registrationdate
    from {{ source('stedi', 'customer_landing') }}
    group by
        email,
        lastupdatedate

),

decided as (

    -- of several records of one moment, one that denies consent decides
    select
        records.email,
        records.lastupdatedate as updated_ms,
        case
            when count(*) = count(case when records.sharewithresearchasofdate in ('', 'false', '0') then null else cast(records.sharewithresearchasofdate as bigint) end)
                then max(cast(records.sharewithresearchasofdate as bigint))
        end as consented_ms
    from {{ source('stedi', 'customer_landing') }} as records
    inner join decided_registrations
        on
            records.email = decided_registrations.email
            and records.lastupdatedate = decided_registrations.lastupdatedate
            and records.registrationdate = decided_registrations.registrationdate
    group by
        records.email,
        records.lastupdatedate

),

first_consents as (

    select
        email,
        min(consented_ms) as consented_ms
    from decided
    group by email

),

lapses as (

    select
        denials.email,
        denials.updated_ms as lapsed_ms,
        min(case
            when consents.consented_ms > denials.updated_ms then consents.consented_ms
            else consents.updated_ms
        end) as resumed_ms
    from decided as denials
    inner join first_consents
        on
            denials.email = first_consents.email
            and denials.updated_ms >= first_consents.consented_ms
    left join decided as consents
        on
            denials.email = consents.email
            and denials.updated_ms < consents.updated_ms
            and consents.consented_ms is not null
    where denials.consented_ms is null
    group by
        denials.email,
        denials.updated_ms

)
{%- endmacro %}
