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
        {%- set readers = [] -%}
        {%- for node in graph.nodes.values() | selectattr('schema', 'equalto', schema) -%}
            {%- do readers.extend(node.config.get('grants', {}).get('select', [])) -%}
        {%- endfor -%}
        {%- if readers -%}
            grant usage on schema {{ adapter.quote(schema) }} to {{ redshift__format_grantees(readers | unique | list) | join(', ') }};
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Run at the start of a build: a misspelt name would give nobody anything, and say nothing. -#}
{% macro check_readers() -%}
    {%- set known = ['data_scientists', 'engineers', 'privacy_officers', 'sparkify_analysts', 'study_team'] -%}
    {%- set unknown = (fromyaml(env_var('READERS', '{}')) or {}) | reject('in', known) | sort -%}
    {%- if unknown -%}
        {%- do exceptions.raise_compiler_error(
            "READERS names " ~ unknown | join(', ') ~ ", of whom this project knows nothing; known are " ~ known | join(', ')
        ) -%}
    {%- endif -%}
{%- endmacro %}
