{#- A time that is text, since programs write that there is none in several ways: "", false and 0. Nobody consented in 1970. -#}
{% macro epoch_ms_or_none(column) -%}
    cast(nullif(nullif(nullif({{ column }}, ''), 'false'), '0') as bigint)
{%- endmacro %}
