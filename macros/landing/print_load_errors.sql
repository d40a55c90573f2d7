{#- Run as an operation after a COPY has failed: says which object, line and column, and why. Only Redshift copies. -#}
{% macro print_load_errors() -%}
    {{ return(adapter.dispatch('print_load_errors')()) }}
{%- endmacro %}

{% macro default__print_load_errors() -%}
{%- endmacro %}

{% macro redshift__print_load_errors() -%}
    {%- set sql -%}
        select
            trim(file_name) as file_name,
            line_number,
            trim(column_name) as column_name,
            trim(error_message) as error_message
        from sys_load_error_detail
        where start_time > dateadd(minute, -5, getdate())
        order by start_time desc, line_number
        limit 10
    {%- endset -%}
    {%- for row in run_query(sql).rows -%}
        {%- do log('COPY refused ' ~ row[0] ~ ', line ' ~ row[1] ~ ', column ' ~ row[2] ~ ': ' ~ row[3], info=true) -%}
    {%- endfor -%}
{%- endmacro %}
