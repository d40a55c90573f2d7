{#- Run as an operation: tells the session what the engine calls itself. Redshift and Trino have the same function for it. -#}
{% macro tell_engine_version() -%}
    {%- do log('answer: ' ~ tojson(run_query('select version()').columns[0].values()[0])) -%}
{%- endmacro %}
