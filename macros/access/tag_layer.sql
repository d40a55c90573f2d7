{#- Run behind each relation that is built: on Athena, rights are given by Lake Formation's tag `layer`. dbt-athena's own setting,
    lf_tags_config, would have to be written whole in each folder; here its name is enough, and meta.layer where a relation has
    other readers than the rest of its folder. -#}
{% macro tag_layer(relation, node) -%}
    {{ adapter.dispatch('tag_layer')(relation, node) }}
{%- endmacro %}

{% macro default__tag_layer(relation, node) -%}
{%- endmacro %}

{% macro athena__tag_layer(relation, node) -%}
    {%- if execute and env_var('LAKE_FORMATION_TAGS', '') == 'true' -%}
        {%- set layer = node.config.meta.get('layer') or node.fqn[2] -%}
        {%- do adapter.add_lf_tags(relation, {'enabled': true, 'tags': {'layer': layer}}) -%}
    {%- endif -%}
{%- endmacro %}
