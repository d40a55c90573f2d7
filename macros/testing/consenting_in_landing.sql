{#- Works the consent out of the raw records once more, without windows and without the models, so that a test that compares
    with it does not follow the models into their mistakes. Gives common table expressions, of which the last, `consenting`,
    is the one to use. -#}
{% macro consenting_in_landing() -%}
{{ records_in_landing() }},

last_updates as (

    select
        canonical_email,
        max(updated_ms) as updated_ms
    from records_in_landing
    group by canonical_email

),

consenting as (

    -- of several records that are the last, each must consent; and nobody may be suspended
    select
        records_in_landing.canonical_email,
        max(records_in_landing.consented_ms) as consented_at_ms
    from records_in_landing
    inner join last_updates
        on
            records_in_landing.canonical_email = last_updates.canonical_email
            and records_in_landing.updated_ms = last_updates.updated_ms
    left join {{ source('stedi', 'customer_suspensions') }} as suspensions
        on records_in_landing.canonical_email = suspensions.canonical_email
    where suspensions.canonical_email is null
    group by records_in_landing.canonical_email
    having
        count(*) = count(records_in_landing.consented_ms)
        and max(records_in_landing.consented_ms) <= (
            select max(ledger.landed_at)
            from {{ source('loader', 'ledger') }} as ledger
            where ledger.table_name in ({{ names_of_landing_tables('stedi') }})
        )

)
{%- endmacro %}
