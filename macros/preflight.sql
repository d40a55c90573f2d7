{#- Run as an operation before anything is landed: what would fail at the end fails at the start, with the same words. -#}
{% macro preflight(zone_id='') -%}
    {%- do check_landing_zone() -%}
    {%- do check_built_from(zone_id) -%}
{%- endmacro %}
