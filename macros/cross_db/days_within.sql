{#- A hundred years of days at most: where a time is so wrong that it spans more, an event has a day that `dates` lacks, and a test
    fails. dbt's default is plain SQL; its DuckDB variant is a function of DuckDB's, whose columns nobody can follow. -#}
{% macro days_within(relation, first_day, last_day) -%}
numbered as (

    {{ dbt.default__generate_series(36525) | indent(4) }}

),

bounded as (

    select
        {{ first_day }} as first_day,
        {{ dbt.datediff(first_day, last_day, 'day') }} as days_after
    from {{ relation }}

),

days_within as (

    select cast({{ dbt.dateadd('day', 'cast(numbered.generated_number - 1 as integer)', 'bounded.first_day') }} as date) as date_day
    from numbered
    inner join bounded
        on numbered.generated_number - 1 <= bounded.days_after

)
{%- endmacro %}
