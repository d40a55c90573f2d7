{#- The raw customer records, each with the person whom it names. Gives common table expressions, of which the last, `records_in_landing`,
    is the one to use. A record that is dated after it was landed cannot be right: if it consents it is left out, if not it counts
    from its landing. The last denial of a person who has a record stays one, also if its own record is gone. Written without the models,
    so that a test that compares with it does not follow them into their mistakes. -#}
{% macro records_in_landing() -%}
records_as_landed as (

    select
        identities.canonical_email,
        records.lastupdatedate as claimed_ms,
        records.landed_at as landed_ms,
        {{ epoch_ms_or_none('records.sharewithresearchasofdate') }} as consented_ms
    from {{ source('stedi', 'customer_landing') }} as records
    inner join {{ source('stedi', 'customer_identities') }} as identities
        on records.email = identities.email

),

dated_records as (

    select
        canonical_email,
        case
            when claimed_ms > landed_ms then landed_ms
            else claimed_ms
        end as updated_ms,
        consented_ms
    from records_as_landed
    where
        canonical_email <> ''
        and (claimed_ms <= landed_ms or consented_ms is null)

),

records_in_landing as (

    select
        canonical_email,
        updated_ms,
        consented_ms
    from dated_records
    union all
    select
        withdrawals.canonical_email,
        withdrawals.withdrawn_ms as updated_ms,
        cast(null as bigint) as consented_ms
    from {{ source('stedi', 'customer_withdrawals') }} as withdrawals
    where withdrawals.canonical_email in (select dated_records.canonical_email from dated_records)

)
{%- endmacro %}
