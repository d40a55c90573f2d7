{#- Null where there is nothing to divide by: no session is not a session without plays. -#}
{% macro ratio(part, whole) -%}
    cast({{ part }} as {{ type_double() }}) / nullif({{ whole }}, 0)
{%- endmacro %}
