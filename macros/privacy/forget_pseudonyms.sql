{#- Run as an operation: puts random pseudonyms in the place of some in the snapshots, whose rows stay: so many consented, and when.
    The keys of these rows were made of the pseudonym, so they change, too. Rows that are new to a snapshot are not its concern. -#}
{% macro forget_pseudonyms(nonce, digests, secret, max_characters) -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'snapshot') | sort(attribute='unique_id') -%}
        {%- do mend_snapshot(node) -%}
        {%- for relation in person_relations([node]) -%}
            {%- set keys = [adapter.quote('dbt_scd_id'), adapter.quote(node.config.unique_key)] -%}
            {%- set columns = person_text_columns(relation) | reject('in', keys) | list -%}
            {%- for some in digest_batches(digests, columns | length) if columns -%}
                {%- do forget_in_snapshot(node, relation, columns, keys, nonce, some, secret, max_characters) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- Makes a snapshot whole that a killed erasure left in the middle of something. -#}
{% macro mend_snapshot(node) -%}
    {{ return(adapter.dispatch('mend_snapshot')(node)) }}
{%- endmacro %}

{% macro default__mend_snapshot(node) -%}
{%- endmacro %}

{#- Of a swap, as it is made below, at least one of the two tables is whole at any moment. -#}
{% macro athena__mend_snapshot(node) -%}
    {%- set found = namespace(live=adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias)) -%}
    {%- for suffix in ['__without', '__with'] -%}
        {%- set left = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias ~ suffix) -%}
        {%- if left is not none and found.live is none -%}
            {%- set found.live = snapshot_part(node) -%}
            {%- do adapter.rename_relation(left, found.live) -%}
        {%- elif left is not none -%}
            {%- do adapter.drop_relation(left) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro forget_in_snapshot(node, relation, columns, keys, nonce, digests, secret, max_characters) -%}
    {{ return(adapter.dispatch('forget_in_snapshot')(node, relation, columns, keys, nonce, digests, secret, max_characters)) }}
{%- endmacro %}

{% macro default__forget_in_snapshot(node, relation, columns, keys, nonce, digests, secret, max_characters) -%}
    {%- set there = person_text_columns(relation) -%}
    {%- for column in columns -%}
        {%- call statement('forget') -%}
            update {{ relation }}
            set
                {{ column }} = {{ sha256_hex("'" ~ secret ~ "' || " ~ column) }}
                {%- for key in keys if key in there %},
                {{ key }} = substring({{ sha256_hex("'" ~ secret ~ "' || " ~ key) }}, 1, 32)
                {%- endfor %}
            where {{ person_digest(nonce, column, max_characters) }} in ('{{ digests | join("', '") }}')
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endfor -%}
{%- endmacro %}

{#- Athena's updates are merge-on-read: they note which rows of a file are gone and write others beside them. VACUUM removes what
    old snapshots of the table name, but the current one still names that file (docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html).
    So the table is written anew elsewhere, takes the place of the old one, and the old one goes with its files. -#}
{% macro athena__forget_in_snapshot(node, relation, columns, keys, nonce, digests, secret, max_characters) -%}
    {%- set without, with_them = snapshot_part(node, '__without'), snapshot_part(node, '__with') -%}
    {%- set location = adapter.generate_s3_location(without, node.config.s3_data_dir, node.config.s3_data_naming) -%}
    {%- call statement('forget') -%}
        create table {{ without }}
        with (
            table_type = 'iceberg',
            is_external = false,
            location = '{{ location }}',
            format = 'parquet'
        )
        as

        with marked as (

            select
                *,
                {%- for column in columns %}
                {{ person_digest(nonce, column, max_characters) }} in ('{{ digests | join("', '") }}') as goes_{{ loop.index }}{{ ',' if not loop.last }}
                {%- endfor %}
            from {{ relation }}

        )

        select
            {%- for column in adapter.get_columns_in_relation(relation) %}
            {%- set name = adapter.quote(column.name) %}
            {%- if name in columns %}
            case when goes_{{ columns.index(name) + 1 }} then {{ sha256_hex("'" ~ secret ~ "' || " ~ name) }} else {{ name }} end as {{ name }}
            {%- elif name in keys %}
            case
                when {% for _ in columns %}goes_{{ loop.index }}{{ ' or ' if not loop.last }}{% endfor %}
                    then substring({{ sha256_hex("'" ~ secret ~ "' || " ~ name) }}, 1, 32)
                else {{ name }}
            end as {{ name }}
            {%- else %}
            {{ name }}
            {%- endif %}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from marked
    {%- endcall -%}
    {%- do adapter.rename_relation(relation, with_them) -%}
    {%- do adapter.rename_relation(without, relation) -%}
    {%- do adapter.drop_relation(with_them) -%}
{%- endmacro %}

{#- A table beside a snapshot, or the snapshot itself; its files lie below the snapshot's name. -#}
{% macro snapshot_part(node, suffix='') -%}
    {{ return(api.Relation.create(
        database=node.database,
        schema=node.schema,
        identifier=node.alias ~ suffix,
        s3_path_table_part=node.alias,
        type='table'
    )) }}
{%- endmacro %}
