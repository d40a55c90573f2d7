{#- Run as an operation before anything is landed: what would fail at the end fails at the start, with the same words. -#}
{% macro preflight() -%}
    {%- do check_landing_zone() -%}
{%- endmacro %}
