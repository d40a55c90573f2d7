{#- Takes the place of dbt's macro of this name, which materializations call. A relation's `grants` name roles of this project;
    dbt gives the rights to whom READERS names for them. Only Redshift is asked to, and only if there is a READERS. On a table that
    dbt made new it would not look for rights to take back; but default privileges give some to every new table
    (docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html). -#}
{% macro apply_grants(relation, grant_config, should_revoke) -%}
    {%- if target.type == 'redshift' and env_var('READERS', '') -%}
        {%- set grants = {} -%}
        {%- for privilege, roles in (grant_config or {}).items() -%}
            {%- do grants.update({privilege: readers_in(roles)}) -%}
        {%- endfor -%}
        {{ dbt.apply_grants(relation, grants, should_revoke=true) }}
    {%- endif -%}
{%- endmacro %}

{#- Whom READERS names for the roles, each once. -#}
{% macro readers_in(roles) -%}
    {%- set named = fromyaml(env_var('READERS', '')) or {} -%}
    {%- set readers = [] -%}
    {%- for role in roles -%}
        {%- set some = named.get(role) or [] -%}
        {%- do readers.extend([some] if some is string else some) -%}
    {%- endfor -%}
    {{ return(readers | unique | list) }}
{%- endmacro %}

{#- Run at the start of a build: a misspelt role would give nobody anything, and say nothing. -#}
{% macro check_readers() -%}
    {%- if execute -%}
        {%- set known = [] -%}
        {%- for node in graph.nodes.values() -%}
            {%- do known.extend(node.config.get('grants', {}).get('select', [])) -%}
        {%- endfor -%}
        {%- set unknown = (fromyaml(env_var('READERS', '')) or {}) | reject('in', known) | sort -%}
        {%- if unknown -%}
            {%- do exceptions.raise_compiler_error(
                "READERS names " ~ unknown | join(', ') ~ ", of whom this project knows nothing; known are "
                ~ known | unique | sort | join(', ')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
