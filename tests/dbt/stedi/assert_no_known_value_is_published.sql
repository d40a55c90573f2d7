{#- Which relations: those of STEDI that say so themselves. Sparkify's are another domain, where an artist may well bear the name
    of a customer. Which columns: texts, and those whose type is not declared. -#}
{%- set texts = [] -%}
{%- set published = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot'])
    | rejectattr('config.meta.holds_personal_data') | sort(attribute='unique_id') -%}
{%- for node in published if node.fqn[1] != 'sparkify' -%}
    {%- if execute and node.unique_id not in model.depends_on.nodes -%}
        {%- do exceptions.raise_compiler_error(node.unique_id ~ ' may hold no personal data: name it in this test') -%}
    {%- endif -%}
    {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
    {%- for column in node.columns.values() if (column.data_type or 'varchar').startswith('varchar') -%}
        {%- do texts.append((relation, column.name)) -%}
    {%- endfor -%}
{%- endfor -%}
-- No address, name, phone or serial number that is known stands in what may hold no personal data, neither as a value nor inside
-- of one. Values of fewer than 8 characters are only looked for as whole values, since they stand inside of others by chance,
-- and of fewer than 4 not at all: an empty name is nobody's. What is found is not shown, only where.
-- depends_on: {{ ref('machine_learning_curated', v=2) }}, {{ ref('machine_learning_dictionary') }}
-- depends_on: {{ ref('published_anonymity') }}, {{ ref('consent_history') }}, {{ ref('consent_periods_snapshot') }}
with customers as (

    select * from {{ ref('stg_stedi__customers') }}

),

known as (

    select lower(email) as known_value
    from customers
    union
    select lower(customer_name) as known_value
    from customers
    union
    select lower(phone) as known_value
    from customers
    union
    select lower(serial_number) as known_value
    from customers

),

published as (
{% for relation, column in texts %}
    select distinct
        '{{ relation.identifier }}.{{ column }}' as place,
        lower(cast({{ column }} as varchar(4096))) as published_text
    from {{ relation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- else %}
    select
        'nowhere' as place,
        'nothing' as published_text
{%- endfor %}

),

found as (

    select
        published.place,
        count(*) as known_values
    from published
    inner join known
        on
            (published.published_text = known.known_value and length(known.known_value) >= 4)
            or (strpos(published.published_text, known.known_value) > 0 and length(known.known_value) >= 8)
    group by published.place

)

select * from found
