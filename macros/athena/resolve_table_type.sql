{#- Takes the place of dbt-athena's macro of this name, which its materializations ask. A unit test keeps nothing of its
    model's configuration, so the adapter would make a Hive table of it: Hive's timestamps are (3), this project's are
    Iceberg's (6). (dbt-labs/dbt-adapters issue 424) -#}
{% macro resolve_table_type() -%}
    {{ return('iceberg' if model.resource_type == 'unit_test' else dbt.resolve_table_type()) }}
{%- endmacro %}
