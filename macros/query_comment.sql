{#- What every statement says of itself in the engine's own records (Redshift's SYS_QUERY_TEXT, Athena's query history): dbt's usual
    comment, with the data set and the run. The commands give both to all that dbt does for them; of dbt by hand, the run is its
    invocation, and the data set is called as the landing zone's folder is. Of that name only letters, digits, `_`, `.` and `-` are
    kept: a comment must not end early, nor open a quote. -#}
{% macro query_comment(node, connection_name) -%}
    {%- set zone = env_var('LANDING_ZONE', '') or 'landing/sample' -%}
    {%- set dataset = env_var('LAKEHOUSE_DATASET', '') or zone.rstrip('/').split('/') | last -%}
    {%- set said = {
        'app': 'dbt',
        'dbt_version': dbt_version,
        'target': target.name,
        'dataset': modules.re.sub('[^A-Za-z0-9_.-]', '_', dataset),
        'run': env_var('LAKEHOUSE_RUN', '') or invocation_id,
        'node': node.unique_id if node else connection_name,
    } -%}
    {{ return(tojson(said)) }}
{%- endmacro %}
