{#- Run as an operation: tells the session the RPU-seconds of Redshift Serverless since a time, in UTC, as they were used and as
    they are charged; the view has a row a minute (docs.aws.amazon.com/redshift/latest/dg/SYS_SERVERLESS_USAGE.html). -#}
{% macro tell_serverless_usage(since) -%}
    {%- set sql -%}
        select
            coalesce(sum(compute_seconds), 0),
            coalesce(sum(charged_seconds), 0)
        from sys_serverless_usage
        where end_time > cast({{ dbt.string_literal(since) }} as timestamp)
    {%- endset -%}
    {%- set row = run_query(sql).rows[0] -%}
    {%- do log('answer: ' ~ tojson({'used': row[0] | float, 'charged': row[1] | float})) -%}
{%- endmacro %}
