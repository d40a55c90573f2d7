{#- Run as an operation: says in which text columns of the project's relations one of some values stands, and in how many rows.
    The values do not come here, only their hashes behind a random text: what an engine keeps of its queries tells nobody whom
    it was about unless he has a guess already. Case does not matter. -#}
{% macro find_person(nonce, digests) -%}
    {%- for relation in person_relations(graph.sources.values() | list + graph.nodes.values() | list) -%}
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

{#- The relations of nodes of the graph that there are in the engine. -#}
{% macro person_relations(nodes) -%}
    {%- set found = [] -%}
    {%- for node in nodes | sort(attribute='unique_id') if node.resource_type in ('source', 'model', 'seed', 'snapshot') -%}
        {%- set name = node.identifier if node.resource_type == 'source' else node.alias -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=name) -%}
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
