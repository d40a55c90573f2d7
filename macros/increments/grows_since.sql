{#- When the last load took effect whose records the relation has, in epoch milliseconds, if all that is needed is to take in
    those that landed after it; none if the relation is built whole. The run tells, which compares the ledger of now with that
    of the last build: see scripts/lakehouse/pipeline/growth.py. -#}
{% macro grows_since() -%}
    {{ return(fromjson(env_var('LAKEHOUSE_GROWING', '{}')).get(model.unique_id) if execute else none) }}
{%- endmacro %}

{#- In a model that takes in what is new: leaves out of what it reads the rows under all other keys. -#}
{% macro where_it_grows(column) -%}
    {%- if grows_since() is not none -%}
    where {{ column }} in ({{ grown_keys() }})
    {%- endif -%}
{%- endmacro %}

{#- A query that gives the keys under which there are new records: a staging model's are in its new rows, those of a model above
    it in the staging model. -#}
{% macro grown_keys(new=none) -%}
    {%- set meta = config.require('meta') -%}
    {%- set staging = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('name', 'equalto', meta.grows_with) | first -%}
    {%- if staging -%}
        select {{ staging.config.meta.grows_by }} from {{ api.Relation.create(database=staging.database, schema=staging.schema, identifier=staging.alias) }} where landed_at > {{ grows_since() }}
    {%- else -%}
        select {{ meta.grows_by }} from {{ new }}
    {%- endif -%}
{%- endmacro %}
