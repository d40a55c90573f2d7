{#- The numbers from 1 to a few, one row each: no way to make them is known to all engines. -#}
{% macro numbers(up_to) -%}
    {%- for number in range(1, up_to + 1) %}
    select cast({{ number }} as integer) as number_from_1
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
