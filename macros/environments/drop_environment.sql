{#- Run as an operation: tells the session which of the environment's schemas there are, with the number of their relations, and
    where its tables lie. -#}
{% macro tell_environment() -%}
    {%- set found = [] -%}
    {%- for schema in environment_schemas() -%}
        {%- do found.append({'schema': schema, 'relations': relations_in_schema(target.database, schema) | length}) -%}
    {%- endfor -%}
    {%- do log('answer: ' ~ tojson({'schemas': found, 'place': target.s3_data_dir or ''})) -%}
{%- endmacro %}

{#- Run as an operation: drops all that the engine has of an environment; never production, which has no name. The loader's schema
    goes last: as long as anything is left, it tells of which landing zone. -#}
{% macro drop_environment() -%}
    {%- if not environment_prefix() -%}
        {{ exceptions.raise_compiler_error("production is not dropped: say with ENVIRONMENT which environment is") }}
    {%- endif -%}
    {%- for schema in environment_schemas() -%}
        {%- set count = relations_in_schema(target.database, schema) | length -%}
        {%- do drop_whole_schema(api.Relation.create(database=target.database, schema=schema).without_identifier()) -%}
        {{ print('dropped ' ~ schema ~ ', with ' ~ count ~ ' relation' ~ ('s' if count != 1)) }}
    {%- endfor -%}
{%- endmacro %}

{#- The schemas that the project's files name, as far as there are such, by name; the loader's last. -#}
{% macro environment_schemas() -%}
    {%- set there = all_schemas() -%}
    {%- set kinds = ['source', 'model', 'seed', 'snapshot', 'test'] -%}
    {%- set named = [] -%}
    {%- for node in graph.sources.values() | list + graph.nodes.values() | list if node.resource_type in kinds and node.schema in there -%}
        {%- do named.append(node.schema) -%}
    {%- endfor -%}
    {%- set loader = generate_schema_name('loader') -%}
    {{ return(named | unique | reject('equalto', loader) | sort + ([loader] if loader in named else [])) }}
{%- endmacro %}

{#- Run as an operation: tells the session the names of all environments in the database, production's "" among them, as their landing
    tables show. -#}
{% macro tell_environments() -%}
    {%- set there = all_schemas() -%}
    {%- set names = [] -%}
    {%- for schema in there if schema == 'loader' or schema.endswith('_loader') -%}
        {%- set prefix = schema[:-6] -%}
        {%- if prefix ~ 'stedi_landing' in there -%}
            {%- do names.append(prefix[:-1]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do log('answer: ' ~ tojson(names | sort)) -%}
{%- endmacro %}

{#- The names of the schemas that there are. -#}
{% macro all_schemas() -%}
    {{ return(adapter.dispatch('all_schemas')()) }}
{%- endmacro %}

{% macro default__all_schemas() -%}
    {{ return(list_schemas(target.database).columns[0].values() | list) }}
{%- endmacro %}

{% macro athena__all_schemas() -%}
    {{ return(adapter.list_schemas(target.database)) }}
{%- endmacro %}

{% macro drop_whole_schema(schema) -%}
    {{ return(adapter.dispatch('drop_whole_schema')(schema)) }}
{%- endmacro %}

{% macro default__drop_whole_schema(schema) -%}
    {%- do adapter.drop_schema(schema) -%}
{%- endmacro %}

{#- Only the catalogue forgets the tables here. The adapter's drop_relation would delete whatever lies where a table is, and a landing
    table lies in the landing zone. The files of the others go by their place, which is the environment's own. -#}
{% macro athena__drop_whole_schema(schema) -%}
    {%- for relation in relations_in_schema(schema.database, schema.schema) -%}
        {%- do adapter.delete_from_glue_catalog(relation) -%}
    {%- endfor -%}
    {%- do adapter.drop_glue_database(schema.schema) -%}
{%- endmacro %}
