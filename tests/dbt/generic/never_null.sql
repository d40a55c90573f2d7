{#- One query a relation, where dbt's own not_null takes one a column: Athena makes each query wait its turn and bills 10 MB for
    it at least. A failure shows the columns, not the rows, which may be personal. -#}
{% test never_null(model, columns) %}

    with incomplete as (

        select
            {%- for column in columns %}
            case when {{ column }} is null then '{{ column }} ' else '' end
            {%- if not loop.last %} ||{% endif %}
            {%- endfor %} as null_columns
        from {{ model }}
        where
            {%- for column in columns %}
            {% if not loop.first %}or {% endif %}{{ column }} is null
            {%- endfor %}

    )

    select
        null_columns,
        count(*) as row_count
    from incomplete
    group by null_columns

{% endtest %}
