{#- The engine must hold as many rows as the loader says it landed: a load that was cut short, or ran twice, shows here. -#}
{% test agrees_with_ledger(model) %}

    with landed as (

        select count(*) as row_count
        from {{ model }}

    ),

    ledger as (

        select coalesce(sum(records_landed), 0) as row_count
        from {{ source('loader', 'ledger') }}
        where table_name = '{{ model.identifier }}'

    )

    select
        landed.row_count as rows_in_table,
        ledger.row_count as rows_in_ledger
    from landed
    cross join ledger
    where landed.row_count <> ledger.row_count

{% endtest %}
