{#- Goes behind `records_in_landing`: the common table expression `decided`, what was true of a customer's consent at each moment of update. -#}
{% macro decided_in_landing() -%}
decided as (

    -- of several records of one moment, one that denies consent decides
    select
        canonical_email,
        updated_ms,
        case when count(*) = count(consented_ms) then max(consented_ms) end as consented_ms
    from records_in_landing
    group by
        canonical_email,
        updated_ms

)
{%- endmacro %}
