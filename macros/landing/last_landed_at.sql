{#- The query with which dbt finds out how fresh a landing table is: when the loader last brought something new for it. -#}
{% macro last_landed_at(table) -%}
    {%- set ledger = table.incorporate(path={'schema': generate_schema_name('loader'), 'identifier': 'ledger'}) -%}
    select max({{ epoch_ms_to_timestamp('landed_at') }}) as landed_at
    from {{ ledger }}
    where table_name = '{{ table.identifier }}'
{%- endmacro %}
