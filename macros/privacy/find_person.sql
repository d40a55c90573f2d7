{#- Run as an operation: says in which text columns of the relations in the project's schemas one of some values stands, and in how
    many rows: also of relations that no model makes any more, and of the failures that tests stored.
    The values do not come here, only their hashes behind a random text: what an engine keeps of its queries tells nobody whom
    it was about unless he has a guess already. Case does not matter. -#}
{% macro find_person(nonce, digests) -%}
    {%- for relation in relations_in_schemas() -%}
        {%- set columns = person_text_columns(relation) -%}
        {%- if columns -%}
            {%- set sql -%}
                select
                {%- for column in columns %}
                    sum(case when {{ person_digest(nonce, column) }} in ('{{ digests | join("', '") }}') then 1 else 0 end)
                    {{- ',' if not loop.last }}
                {%- endfor %}
                from {{ relation }}
            {%- endset -%}
            {%- set found = run_query(sql).rows[0] -%}
            {%- for column in columns -%}
                {%- do log('answer: ' ~ tojson({
                    'place': relation.schema ~ '.' ~ relation.identifier ~ '.' ~ column.strip('"'),
                    'rows': (found[loop.index0] or 0) | int
                })) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Run as an operation: puts random pseudonyms in the place of some in the snapshots, whose rows stay: so many consented, and when.
    The keys of these rows were made of the pseudonym, so they change, too. Rows that are new to a snapshot are not its concern. -#}
{% macro forget_pseudonyms(nonce, digests, secret) -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'snapshot') -%}
        {%- for relation in person_relations([node]) -%}
            {%- set columns = person_text_columns(relation) -%}
            {%- set keys = [adapter.quote('dbt_scd_id'), adapter.quote(node.config.unique_key)] -%}
            {%- for column in columns | reject('in', keys) -%}
                {%- call statement('forget') -%}
                    update {{ relation }}
                    set
                        {{ column }} = {{ sha256_hex("'" ~ secret ~ "' || " ~ column) }}
                        {%- for key in keys if key in columns %},
                        {{ key }} = substring({{ sha256_hex("'" ~ secret ~ "' || " ~ key) }}, 1, 32)
                        {%- endfor %}
                    where {{ person_digest(nonce, column) }} in ('{{ digests | join("', '") }}')
                {%- endcall -%}
                {%- do adapter.commit() -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- Run as an operation: drops the failures that tests stored, which are copies of rows that no build makes anew. -#}
{% macro drop_stored_failures() -%}
    {%- for relation in person_relations(graph.nodes.values() | selectattr('resource_type', 'equalto', 'test')) -%}
        {%- do adapter.drop_relation(relation) -%}
        {%- do adapter.commit() -%}
        {%- do log('dropped the stored failures ' ~ relation.schema ~ '.' ~ relation.identifier, info=true) -%}
    {%- endfor -%}
{%- endmacro %}

{#- Every relation in the schemas of the project: its own, the sources', and where tests store failures. -#}
{% macro relations_in_schemas() -%}
    {%- set kinds = ['source', 'model', 'seed', 'snapshot', 'test'] -%}
    {%- set nodes = graph.sources.values() | list + graph.nodes.values() | list -%}
    {%- set found = [] -%}
    {%- for node in nodes | selectattr('resource_type', 'in', kinds) | sort(attribute='schema') -%}
        {%- if loop.changed(node.schema) -%}
            {%- do found.extend(relations_in_schema(node.database, node.schema) | sort(attribute='identifier')) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro relations_in_schema(database, schema) -%}
    {{ return(adapter.dispatch('relations_in_schema')(database, schema)) }}
{%- endmacro %}

{% macro default__relations_in_schema(database, schema) -%}
    {%- set sql -%}
        select table_name from information_schema.tables
        where
            lower(table_catalog) = lower('{{ database }}')
            and lower(table_schema) = lower('{{ schema }}')
    {%- endset -%}
    {%- set found = [] -%}
    {%- for name in run_query(sql).columns[0].values() -%}
        {%- do found.append(adapter.get_relation(database=database, schema=schema, identifier=name)) -%}
    {%- endfor -%}
    {{ return(found | reject('none') | list) }}
{%- endmacro %}

{% macro athena__relations_in_schema(database, schema) -%}
    {{ return(adapter.list_relations_without_caching(api.Relation.create(database=database, schema=schema).without_identifier())) }}
{%- endmacro %}

{#- The relations of nodes of the graph that there are in the engine. -#}
{% macro person_relations(nodes) -%}
    {%- set found = [] -%}
    {%- for node in nodes | sort(attribute='unique_id') -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- if relation is not none -%}
            {%- do found.append(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The names of a relation's columns that hold text, by what any of the engines calls their type. -#}
{% macro person_text_columns(relation) -%}
    {%- set names = [] -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- if column.dtype.split('(')[0] | lower in ('varchar', 'text', 'string', 'character varying', 'char', 'character', 'bpchar') -%}
            {%- do names.append(adapter.quote(column.name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{% macro person_digest(nonce, column) -%}
    {{ sha256_hex("'" ~ nonce ~ "' || lower(" ~ column ~ ")") }}
{%- endmacro %}
