{#- dbt's own `hash` casts to what it calls a string: on Redshift that is TEXT, a VARCHAR(256)
    (docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html), and what stands behind is not hashed. -#}
{% macro md5_hex(expression) -%}
    {{ return(adapter.dispatch('md5_hex')(expression)) }}
{%- endmacro %}

{% macro default__md5_hex(expression) -%}
    {{ exceptions.raise_compiler_error("md5_hex is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__md5_hex(expression) -%}
    md5({{ expression }})
{%- endmacro %}

{% macro redshift__md5_hex(expression) -%}
    md5({{ expression }})
{%- endmacro %}

{% macro athena__md5_hex(expression) -%}
    lower(to_hex(md5(to_utf8({{ expression }}))))
{%- endmacro %}
