{% macro type_double() -%}
    {{ return(adapter.dispatch('type_double')()) }}
{%- endmacro %}

{% macro default__type_double() -%}
    double precision
{%- endmacro %}

{#- Athena documents this name alone: docs.aws.amazon.com/athena/latest/ug/data-types.html -#}
{% macro athena__type_double() -%}
    double
{%- endmacro %}
