{#- Goes behind `decided`: the common table expression `steady`, the customers of whom no record denies consent or gives it
    a second date. -#}
{% macro steady_in_landing() -%}
steady as (

    select canonical_email
    from decided
    group by canonical_email
    having
        count(*) = count(consented_ms)
        and min(consented_ms) = max(consented_ms)

)
{%- endmacro %}
