{#- The engine must hold every object that the loader landed, whole and once: a load that was cut short, or ran twice, shows
    here with the object's name. And it must have the values that the loader saw: of the table itself the rows are counted and
    the checksums of the columns worked out, in one reading. A column with other values shows here with its name. -#}
{% test agrees_with_ledger(model) %}

    {%- set columns = [] -%}
    {%- if execute -%}
        {%- set tables = landing_tables() | selectattr('schema', 'equalto', model.schema) -%}
        {%- set columns = column_checksums(tables | selectattr('identifier', 'equalto', model.identifier) | first) -%}
    {%- endif %}

    with ledger as (

        select
            object_key,
            sum(records_landed) as row_count,
            max(checksums) as checksums
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

        select
            count(*) as row_count
            {%- for column in columns %},
            {{ column.count }} as count_{{ loop.index }},
            coalesce(sum(cast({{ column.value }} as {{ column.type }})), 0) as sum_{{ loop.index }}
            {%- if column.type == 'double precision' %},
            coalesce(sum(abs({{ column.value }})), 0) as size_{{ loop.index }}
            {%- endif %}
            {%- endfor %}
        from {{ model }}

    ),

    entries as (

        select
            row_count
            {%- for column in columns %},
            nullif(split_part(split_part(checksums, {{ dbt.string_literal(dbt.escape_single_quotes(';' ~ column.entry ~ '=')) }}, 2), ';', 1), '') as entry_{{ loop.index }}
            {%- endfor %}
        from ledger

    ),

    landed as (

        select
            coalesce(sum(row_count), 0) as row_count
            {%- for column in columns %},
            count(*) - count(entry_{{ loop.index }}) as unknown_{{ loop.index }},
            coalesce(sum(cast(split_part(entry_{{ loop.index }}, ':', 1) as decimal(38, 0))), 0) as count_{{ loop.index }},
            coalesce(sum(cast(split_part(entry_{{ loop.index }}, ':', 2) as {{ column.type }})), 0) as sum_{{ loop.index }}
            {%- endfor %}
        from entries

    ),

    differences as (

        select
            coalesce(ledger.object_key, objects.object_key) as what,
            cast(coalesce(ledger.row_count, 0) as varchar(40)) || ' rows landed, '
            || cast(coalesce(objects.row_count, 0) as varchar(40)) || ' in the table' as difference
        from ledger
        full outer join objects
            on ledger.object_key = objects.object_key
        where
            ledger.row_count is null
            or objects.row_count is null
            or ledger.row_count <> objects.row_count
        union all
        select
            '{{ model.identifier }}' as what,
            case
                when landed.row_count <> landing_table.row_count
                    then
                        cast(landed.row_count as varchar(40)) || ' rows landed, '
                        || cast(landing_table.row_count as varchar(40)) || ' in the table. '
                else ''
            end
            {%- for column in columns %}
            || case
                when landed.unknown_{{ loop.index }} > 0
                    then {{ dbt.string_literal(dbt.escape_single_quotes(column.column ~ ': the ledger has no checksum: land again, or into a new zone if its type has changed. ')) }}
                when landed.count_{{ loop.index }} <> landing_table.count_{{ loop.index }}
                    then
                        {{ dbt.string_literal(dbt.escape_single_quotes(column.column ~ ': ')) }} || cast(landed.count_{{ loop.index }} as varchar(40))
                        || ' values landed, ' || cast(landing_table.count_{{ loop.index }} as varchar(40)) || ' in the table. '
                {%- if column.type == 'double precision' %}
                when abs(landed.sum_{{ loop.index }} - landing_table.sum_{{ loop.index }}) > landing_table.size_{{ loop.index }} * 1e-9
                {%- else %}
                when landed.sum_{{ loop.index }} <> landing_table.sum_{{ loop.index }}
                {%- endif %}
                    then {{ dbt.string_literal(dbt.escape_single_quotes(column.column ~ ': other values than those landed. ')) }}
                else ''
            end
            {%- endfor %} as difference
        from landed
        cross join landing_table

    )

    select * from differences
    where difference <> ''

{% endtest %}
