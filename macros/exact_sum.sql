{#-
Floats add up to another last digit in another order, and no engine promises an order: rounding the sum only makes that rare, as a
sum can lie half-way between two roundings. Decimals add up the same in any. Numbers of 10^12 and more are left out: a decimal
would not hold the largest, and one absurd record would end the build.
-#}
{% macro exact_sum(column) -%}
    cast(sum(
        case when abs({{ column }}) < 1e12 then cast({{ column }} as decimal(38, 5)) end
    ) as {{ type_double() }})
{%- endmacro %}
