{#- The landing zone that the database was built from, as it knows itself; none where it does not. What looks for a relation may
    begin a transaction, which is ended here: what is registered next must not depend on it. -#}
{% macro built_from() -%}
    {%- set known = loader_relation('built_from') -%}
    {%- set found = adapter.get_relation(database=known.database, schema=known.schema, identifier=known.identifier) -%}
    {%- call statement('built_from', fetch_result=true) -%}
        {%- if found %}
        select * from {{ known }}  {# a view of ours, which older versions made with a column less #}
        {%- else %}
        select '' as zone_id, '' as zone, '' as dataset, '' as counted_as where 1 = 0
        {%- endif %}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {%- for row in load_result('built_from').table.rows -%}
        {{ return({'zone_id': row[0], 'zone': row[1], 'dataset': row[2], 'counted_as': row[3] if row | length > 3 else none}) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}

{#- A zone is known by its id, wherever it was moved to; by its place where one of the two has no id to compare. -#}
{% macro is_the_zone(known, zone_id) -%}
    {{ return(known.zone_id == zone_id if known.zone_id and zone_id else known.zone == landing_zone()) }}
{%- endmacro %}

{#- Run as an operation: tells the session what the database knows, and whether that is the zone that LANDING_ZONE names. -#}
{% macro tell_built_from(zone_id='') -%}
    {%- set known = built_from() -%}
    {%- do log('answer: ' ~ tojson(dict(known, is_this_zone=is_the_zone(known, zone_id)) if known else none)) -%}
{%- endmacro %}

{#- Stops before two data sets share one history of consent: people of whom another zone knows nothing look withdrawn. And before
    something is replaced of which nobody knows whose it is. -#}
{% macro check_built_from(zone_id='') -%}
    {%- set known = built_from() -%}
    {%- set strangers = [] if known else relations_of_nobody() -%}
    {%- set forget = "`.venv/bin/dbt run-operation forget_landing_zone --target " ~ target.name ~ "`" -%}
    {%- if known and not is_the_zone(known, zone_id) -%}
        {{ exceptions.raise_compiler_error(
            "this database was built from the landing zone " ~ known.zone ~ " (data set " ~ known.dataset ~ "), not from "
            ~ landing_zone() ~ ": " ~ name_another_database() ~ "; or, to give up what it knows of who consented when, run "
            ~ forget ~ " first."
        ) }}
    {%- elif strangers -%}
        {{ exceptions.raise_compiler_error(
            "there is " ~ strangers[0].schema ~ "." ~ strangers[0].identifier ~ " already"
            ~ (" (and " ~ (strangers | length - 1) ~ " more relations with names of this project)" if strangers | length > 1 else "")
            ~ ", and nothing tells from which landing zone it was built: " ~ name_another_database()
            ~ "; or, if this run may replace what is there, run " ~ forget ~ " first."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- The relations with names of this project of which nothing tells whose they are. Redshift's and Athena's schemas are shared with
    people and programs that know nothing of this project; a DuckDB file is one person's. -#}
{% macro relations_of_nobody() -%}
    {%- set noted = loader_relation('built_from') -%}
    {%- if target.type == 'duckdb' or adapter.get_relation(database=noted.database, schema=noted.schema, identifier=noted.identifier) -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set ours = [] -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot']) -%}
        {%- do ours.append((node.schema, node.alias)) -%}
    {%- endfor -%}
    {%- for source in graph.sources.values() -%}
        {%- do ours.append((source.schema, source.identifier)) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for relation in relations_in_schemas() if (relation.schema, relation.identifier) in ours -%}
        {%- do found.append(relation) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- A view of constants: every engine has it, and replaces it in one step. Who registers by hand gives no id and no name: what is
    known stays, and a zone that nobody named is called as its folder is. -#}
{% macro note_built_from(zone_id='', dataset='', has_known_counts=true) -%}
    {%- set known = built_from() -%}
    {%- set name = dataset or (known.dataset if known else landing_zone().split('/') | last) -%}
    {%- set keeps_what_is_known = not dataset and known and known.counted_as is not none -%}
    {%- set noted = {
        'zone_id': zone_id or (known.zone_id if known else ''),
        'zone': landing_zone(),
        'dataset': name,
        'counted_as': known.counted_as if keeps_what_is_known else (name if has_known_counts else ''),
    } -%}
    {%- if not known and person_relations(graph.nodes.values() | selectattr('resource_type', 'equalto', 'snapshot')) -%}
        {{ print(
            "this database did not know which landing zone it was built from: from now on it is " ~ landing_zone() ~ ". If it was "
            ~ "another one until now, its history of consent holds other people, too: forget_landing_zone removes it."
        ) }}
    {%- endif -%}
    {%- if known != noted -%}
        {%- do write_built_from(noted, known) -%}
    {%- endif -%}
{%- endmacro %}

{#- What is noted; of nothing, that it is nothing. -#}
{% macro write_built_from(noted, known) -%}
    {%- if known and known.counted_as is none and target.type == 'redshift' -%}
        {#- It replaces a view by one with the same columns only (docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html). -#}
        {%- do adapter.drop_relation(loader_relation('built_from').incorporate(type='view')) -%}
    {%- endif -%}
    {%- call statement('write_built_from') -%}
        create or replace view {{ loader_relation('built_from') }} as
        select
            cast({{ dbt.string_literal(dbt.escape_single_quotes(noted.zone_id or '')) }} as varchar(64)) as zone_id,
            cast({{ dbt.string_literal(dbt.escape_single_quotes(noted.zone or '')) }} as varchar(2048)) as zone,
            cast({{ dbt.string_literal(dbt.escape_single_quotes(noted.dataset or '')) }} as varchar(256)) as dataset,
            cast({{ dbt.string_literal(dbt.escape_single_quotes(noted.counted_as or '')) }} as varchar(256)) as counted_as
        {{ 'where 1 = 0' if not noted }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
{%- endmacro %}

{#- Run as an operation: the way out for who wants another data set in this database. What consents were known goes. -#}
{% macro forget_landing_zone() -%}
    {%- for relation in person_relations(graph.nodes.values() | selectattr('resource_type', 'equalto', 'snapshot')) -%}
        {%- do adapter.drop_relation(relation) -%}
        {%- do adapter.commit() -%}
        {{ print('dropped ' ~ relation.schema ~ '.' ~ relation.identifier) }}
    {%- endfor -%}
    {#- what is noted goes last: a killed operation must not leave a history that is nobody's -#}
    {%- do adapter.create_schema(loader_relation('built_from').without_identifier()) -%}
    {%- do write_built_from({}, built_from()) -%}
    {{ print('the next run may build this database from any landing zone') }}
{%- endmacro %}

{#- How somebody names another database of the engine. -#}
{% macro name_another_database() -%}
    {{ return(adapter.dispatch('name_another_database')()) }}
{%- endmacro %}

{% macro default__name_another_database() -%}
    {{ exceptions.raise_compiler_error("name_another_database is not written for " ~ target.type) }}
{%- endmacro %}

{% macro duckdb__name_another_database() -%}
    {{ return('name another file with DUCKDB_PATH, or an environment of your own with ENVIRONMENT') }}
{%- endmacro %}

{% macro redshift__name_another_database() -%}
    {{ return('name an environment of your own with ENVIRONMENT, or another database with REDSHIFT_DATABASE') }}
{%- endmacro %}

{#- The names of the schemas are the catalogue's, of which an account has one in a region. -#}
{% macro athena__name_another_database() -%}
    {{ return('name an environment of your own with ENVIRONMENT') }}
{%- endmacro %}
