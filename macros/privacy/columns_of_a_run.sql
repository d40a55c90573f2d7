{#- The columns of which each holds what is known of somebody from so many readings in a row. -#}
{% macro columns_of_a_run(known_readings) -%}
version, age_band, calendar_ms, motion
{%- for step in range(1, known_readings) %}, motion_{{ step }}, after_ms_{{ step }}{% endfor -%}
{%- endmacro %}
