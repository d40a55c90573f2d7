{#- Works out of the raw records when consent had lapsed, without windows and without the models. Goes behind `decided`. Gives
    common table expressions, of which the last, `lapses`, goes from a record without consent, or from the last one of a
    consent that was given anew later, until consent was given again. -#}
{% macro lapses_in_landing() -%}
withdrawals as (

    -- a denial of what an earlier record consented to, by then
    select distinct
        denials.canonical_email,
        denials.updated_ms
    from decided as denials
    inner join decided as earlier
        on
            denials.canonical_email = earlier.canonical_email
            and denials.updated_ms > earlier.updated_ms
            and denials.updated_ms >= earlier.consented_ms
    where denials.consented_ms is null

),

never_denied as (

    select canonical_email
    from decided
    group by canonical_email
    having count(*) = count(consented_ms)

),

renewals as (

    -- a later consent was given anew: the one before it is known to have held until its last record, and no longer. Of those who
    -- withdrew in between the denials tell
    select
        consents.canonical_email,
        consents.updated_ms as lapsed_ms,
        min(later_consents.consented_ms) as resumed_ms
    from decided as consents
    inner join never_denied
        on consents.canonical_email = never_denied.canonical_email
    inner join decided as later_consents
        on
            consents.canonical_email = later_consents.canonical_email
            and consents.updated_ms < later_consents.updated_ms
    where consents.consented_ms <= consents.updated_ms
    group by
        consents.canonical_email,
        consents.updated_ms
    having min(later_consents.consented_ms) > consents.updated_ms

),

lapses as (

    select
        denials.canonical_email,
        denials.updated_ms as lapsed_ms,
        min(case
            when consents.consented_ms > denials.updated_ms then consents.consented_ms
            else consents.updated_ms
        end) as resumed_ms
    from decided as denials
    inner join withdrawals
        on
            denials.canonical_email = withdrawals.canonical_email
            and denials.updated_ms = withdrawals.updated_ms
    left join decided as consents
        on
            denials.canonical_email = consents.canonical_email
            and denials.updated_ms < consents.updated_ms
            and consents.consented_ms is not null
    where denials.consented_ms is null
    group by
        denials.canonical_email,
        denials.updated_ms
    union all
    select
        canonical_email,
        lapsed_ms,
        resumed_ms
    from renewals

)
{%- endmacro %}
