{#- Found by dbt's own `cast`, which checks contracts. Trino's only name for a double is `double`. -#}
{% macro athena__cast(field, type) -%}
    cast({{ field }} as {{ 'double' if type == 'double precision' else type }})
{%- endmacro %}
