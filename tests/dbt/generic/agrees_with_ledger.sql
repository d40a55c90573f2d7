{#- The engine must hold every object that the loader landed, whole and once: a load that was cut short, or ran twice, shows
    here with the object's name. The rows of the table itself are counted, too. -#}
{% test agrees_with_ledger(model) %}

    with ledger as (

        select
            object_key,
            sum(records_landed) as row_count
        from {{ source('loader', 'ledger') }}
        where
            table_name = '{{ model.identifier }}'
            and object_key is not null
        group by object_key

    ),

    objects as (

        select
            object_key,
            row_count
        from {{ source('loader', 'objects') }}
        where table_name = '{{ model.identifier }}'

    ),

    landing_table as (

        select count(*) as row_count
        from {{ model }}

    ),

    total as (

        select coalesce(sum(row_count), 0) as row_count
        from ledger

    ),

    differences as (

        select
            coalesce(ledger.object_key, objects.object_key) as object_key,
            ledger.row_count as rows_in_ledger,
            objects.row_count as rows_in_table
        from ledger
        full outer join objects
            on ledger.object_key = objects.object_key
        where
            ledger.row_count is null
            or objects.row_count is null
            or ledger.row_count <> objects.row_count
        union all
        select
            'the whole table' as object_key,
            total.row_count as rows_in_ledger,
            landing_table.row_count as rows_in_table
        from total
        cross join landing_table
        where total.row_count <> landing_table.row_count

    )

    select * from differences

{% endtest %}
