{#- The schemas are `sparkify`, `stedi` and their staging on every engine, not `main_sparkify` as dbt's default would have it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
