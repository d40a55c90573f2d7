{#- Run as an operation: says in which text columns of the relations in the project's schemas one of some values stands, and in how
    many rows: also of relations that no model makes any more, and of the failures that tests stored.
    The values do not come here, only their hashes behind a random text: what an engine keeps of its queries tells nobody whom
    it was about unless he has a guess already. -#}
{% macro find_person(nonce, digests, max_characters, case_matters=false, only_columns=none) -%}
    {%- for together in searched_together(digests, only_columns) -%}
        {%- set places = together | map(attribute='places') | sum(start=[]) -%}
        {%- set found = dict() -%}
        {%- for some in digest_batches(digests, places | length) -%}
            {%- set sql -%}
                {%- for searched in together %}
                    {{- ' union all ' if not loop.first }}
                    select
                        {{ loop.index0 }} as relation
                    {%- for column in searched.columns %}
                        , sum(case when {{ person_digest(nonce, column, max_characters, case_matters) }} in ('{{ some | join("', '") }}') then 1 else 0 end) as rows_{{ loop.index0 }}
                    {%- endfor %}
                    {%- for nothing in range(searched.columns | length, together | map(attribute='columns') | map('length') | max) %}
                        , 0 as rows_{{ searched.columns | length + loop.index0 }}
                    {%- endfor %}
                    from {{ searched.relation }}
                {%- endfor %}
            {%- endset -%}
            {%- for row in run_query(sql).rows -%}
                {%- for place in together[row[0] | int].places -%}
                    {%- do found.update({place: found.get(place, 0) + ((row[loop.index] or 0) | int)}) -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for place in places -%}
            {%- do log('answer: ' ~ tojson({'place': place, 'rows': found[place]})) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- The relations that have columns to look into, in groups of which one query each is made: on Athena a query costs a second
    whatever it reads. Few hashes are looked for in several relations at once; of many, a relation is read as seldom as can be.
    A group is small, since views add their own stages: Trino runs no query of more than 150
    (trino.io/docs/current/admin/properties-query-management.html). -#}
{% macro searched_together(digests, only_columns=none) -%}
    {%- set groups = [] -%}
    {%- for relation in relations_in_schemas() -%}
        {%- set columns = [] -%}
        {%- for column in person_text_columns(relation) -%}
            {%- if only_columns is none or column.strip('"') | lower in only_columns -%}
                {%- do columns.append(column) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set places = [] -%}
        {%- for column in columns -%}
            {%- do places.append(relation.schema ~ '.' ~ relation.identifier ~ '.' ~ column.strip('"')) -%}
        {%- endfor -%}
        {%- set searched = {'relation': relation, 'columns': columns, 'places': places} -%}
        {%- set with_the_last = (groups | last | default([]) + [searched]) | map(attribute='columns') | map('length') | sum -%}
        {%- if columns and groups and groups[-1] | length < 8 and digest_batches(digests, with_the_last) | length <= 1 -%}
            {%- do groups[-1].append(searched) -%}
        {%- elif columns -%}
            {%- do groups.append([searched]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(groups) }}
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

{#- A longer value than any that is looked for is none of them. It is not hashed: string functions of Redshift take 65,535
    bytes (docs.aws.amazon.com/redshift/latest/dg/r_enable_large_strings_opt_in.html), and with the random text a quarantined
    record has more. The length is asked for inside, so that no engine can hash first. -#}
{% macro person_digest(nonce, column, max_characters, case_matters=false) -%}
    {%- set value = "case when length(" ~ column ~ ") <= " ~ max_characters ~ " then " ~ column ~ " end" -%}
    {{ sha256_hex("'" ~ nonce ~ "' || " ~ (value if case_matters else "lower(" ~ value ~ ")")) }}
{%- endmacro %}

{#- Lists of hashes, of which a query holds one for each of its columns: 2,400 in all, in quotes, are 161 kB. Athena takes
    queries of 262,144 bytes (docs.aws.amazon.com/athena/latest/ug/service-limits.html). -#}
{% macro digest_batches(digests, columns) -%}
    {{ return(digests | batch([2400 // [columns, 1] | max, 1] | max) | list) }}
{%- endmacro %}
