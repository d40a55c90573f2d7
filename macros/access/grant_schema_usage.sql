{#- Run at the end of a build: dbt grants rights on relations, and nobody can use those without the right to use the schema.
    Who gets it follows from the grants of the relations in it, so that it stands nowhere twice. Only Redshift has schemas
    with rights of their own; what Athena has instead is in docs/access.md. -#}
{% macro grant_schema_usage(schemas) -%}
    {{ adapter.dispatch('grant_schema_usage')(schemas) }}
{%- endmacro %}

{% macro default__grant_schema_usage(schemas) -%}
{%- endmacro %}

{% macro redshift__grant_schema_usage(schemas) -%}
    {%- for schema in schemas -%}
        {%- set roles = [] -%}
        {%- for node in graph.nodes.values() | selectattr('schema', 'equalto', schema) -%}
            {%- do roles.extend(node.config.get('grants', {}).get('select', [])) -%}
        {%- endfor -%}
        {%- set readers = readers_in(roles) -%}
        {%- if readers -%}
            grant usage on schema {{ adapter.quote(schema) }} to {{ redshift__format_grantees(readers) | join(', ') }};
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
