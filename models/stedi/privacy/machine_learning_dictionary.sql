{#- From the YAML that also describes the table in the docs, so that the two cannot differ. -#}
-- depends_on: {{ ref('machine_learning_curated', v=2) }}
{%- set tables = graph.nodes.values() | selectattr('name', 'equalto', 'machine_learning_curated') | selectattr('version', 'equalto', 2) %}

with columns as (
{% for table in tables %}
    {%- for column in table.columns.values() %}
    select
        {{ loop.index }} as position,
        {{ dbt.string_literal(column.name) }} as column_name,
        {{ dbt.string_literal(column.data_type) }} as data_type,
        {{ dbt.string_literal(dbt.escape_single_quotes(column.description)) }} as description
        {%- if not loop.last %}
    union all
        {%- endif %}
    {%- endfor %}
{%- endfor %}

),

described as (

    select
        cast(position as integer) as position,
        cast(column_name as varchar(64)) as column_name,
        cast(data_type as varchar(64)) as data_type,
        cast(description as varchar(1024)) as description
    from columns

)

select * from described
