{#- Run as an operation after the landing tables are registered and before anything is built: takes out of every published
    relation whoever does not consent by what is landed now, so that no model that fails keeps them in. It reads no model.
    Whose a row is, a column's `person` says: an e-mail address, the serial number of a device, or the name of a column that
    stands beside the address in a landing table, as pseudonyms do. In doubt, out: the build that follows brings back what is right.
    `kept` are nodes that were built from just what is landed now: in those is nobody who does not consent. -#}
{% macro withdraw_people(kept=[]) -%}
    {#- a query a relation: one for all has more stages than Athena takes #}
    {%- for node, relation, columns in published_people() if node.unique_id not in kept -%}
        {%- set row = run_query(count_withdrawn(relation, columns)).rows[0] -%}
        {%- if row[0] -%}
            {#- first: whatever ends this in between, the relation is built again -#}
            {%- do forget_built_with([node.unique_id]) -%}
            {%- call statement('withdraw') -%}
                delete from {{ relation }}
                where {{ is_withdrawn(columns) }}
            {%- endcall -%}
            {%- do adapter.commit() -%}
            {%- set devices = columns | selectattr('meta.person', 'equalto', 'serial_number') | list -%}
            {{ print(
                'taken out of ' ~ relation.schema ~ '.' ~ relation.identifier
                ~ (' until it is built, as not everybody who ever had the device consents: ' if devices else ', for want of consent: ')
                ~ '{:,}'.format(row[0] | int) ~ ' rows of '
                ~ ('{:,} people'.format(row[1] | int) if row[1] else '{:,} devices'.format(row[2] | int))
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The published relations that there are, each with the columns that say whose its rows are. -#}
{% macro published_people() -%}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='unique_id') -%}
        {%- set columns = node.columns.values() | selectattr('meta.person', 'defined') | list -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) if columns -%}
        {%- if relation -%}
            {%- do found.append((node, relation, columns)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro count_withdrawn(relation, columns) -%}
    {%- set devices = columns | selectattr('meta.person', 'equalto', 'serial_number') | map(attribute='name') | list -%}
    {%- set people = columns | rejectattr('meta.person', 'equalto', 'serial_number') | map(attribute='name') | list -%}
    select
        count(*) as withdrawn_rows,
        {{ 'count(distinct ' ~ people[0] ~ ')' if people else '0' }} as people,
        {{ 'count(distinct ' ~ devices[0] ~ ')' if devices else '0' }} as devices
    from {{ relation }}
    where {{ is_withdrawn(columns) }}
{%- endmacro %}

{#- A row of nobody is nobody's consent. -#}
{% macro is_withdrawn(columns) -%}
    {%- for column in columns -%}
        ({{ column.name }} is null or {{ column.name }} not in ({{ people_who_stay(column.meta.person) }}))
        {{- ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- A query that gives who may stay published, in the words in which a column names them. Who consents is decided in
    consenting_in_landing alone. -#}
{% macro people_who_stay(named_by) -%}
    with {{ consenting_in_landing() }},

    staying as (

        select
            identities.email,
            identities.customer_pseudonym
        from {{ source('stedi', 'customer_identities') }} as identities
        inner join consenting
            on identities.canonical_email = consenting.canonical_email

    )
    {%- if named_by == 'email' %}
    select email from staying
    {%- elif named_by == 'serial_number' %}
    {#- of a device, everybody who ever registered it must consent #}
    select owners.serial_number
    from {{ source('stedi', 'device_owners') }} as owners
    left join staying
        on owners.owner_token = staying.customer_pseudonym
    group by owners.serial_number
    having count(*) = count(staying.customer_pseudonym)
    {%- else %}
    select names.{{ named_by }}
    from {{ table_of_names(named_by) }} as names
    inner join staying
        on names.email = staying.email
    where names.{{ named_by }} is not null
    {%- endif -%}
{%- endmacro %}

{#- The landing table that has a name for people beside their address. -#}
{% macro table_of_names(named_by) -%}
    {%- for table in graph.sources.values() if named_by in table.columns and 'email' in table.columns -%}
        {{ return(landing_relation(table)) }}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error("no landing table has " ~ named_by ~ " beside an address: nobody can be found by it") }}
{%- endmacro %}
