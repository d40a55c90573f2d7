{#- From the first day to the last, and the days between without any: of a CTE that has a kind of record and a day in each row. -#}
{% macro covered_days(days) -%}
    bounds as (

        select
            records_of,
            min(date_day) as first_on,
            max(date_day) as last_on,
            count(distinct date_day) as days_with
        from {{ days }}
        group by records_of

    ),

    covered_days as (

        select
            cast(records_of as varchar(32)) as records_of,
            first_on,
            last_on,
            cast(days_with as integer) as days_with,
            cast(
                {{ dbt.datediff('first_on', 'last_on', 'day') }}
                + 1 - days_with as integer
            ) as days_without
        from bounds

    )
{%- endmacro %}
