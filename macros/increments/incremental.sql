{#- A relation is built whole, as a table, unless the run says that it can take in what is new alone. Who builds with dbt by hand
    builds it whole. These take the place of the adapters' own: of those, delete+insert leaves the rows of a key that has none
    any more, merge deletes nothing on Redshift, and on Athena a full build drops the old table before it makes the new one. -#}
{% materialization incremental, adapter='duckdb' -%}
    {{ return(materialization_table_duckdb() if grows_since() is none else take_in_what_is_new()) }}
{%- endmaterialization %}

{% materialization incremental, adapter='redshift' -%}
    {{ return(materialization_table_redshift() if grows_since() is none else take_in_what_is_new()) }}
{%- endmaterialization %}

{% materialization incremental, adapter='athena' -%}
    {%- if grows_since() is none -%}
        {%- do adapter.drop_relation(make_temp_relation(this.incorporate(type='table'))) -%}  {# a killed run's, which holds records of its time #}
    {%- endif -%}
    {{ return(materialization_table_athena() if grows_since() is none else take_in_what_is_new()) }}
{%- endmaterialization %}

{#- Replaces the rows under the keys that new records have. Grants, comments and tags are those of the last build, since nothing
    but records has changed. -#}
{% macro take_in_what_is_new() -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set new = make_temp_relation(relation) -%}
    {{ run_hooks(pre_hooks) }}
    {%- do adapter.dispatch('replace_grown_rows')(relation, new) -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {%- do adapter.dispatch('drop_new_rows')(new) -%}
    {{ return({'relations': [relation]}) }}
{%- endmacro %}

{% macro default__replace_grown_rows(relation, new) -%}
    {{ exceptions.raise_compiler_error("replace_grown_rows is not written for " ~ target.type) }}
{%- endmacro %}

{#- One transaction: readers see the old rows or the new ones. -#}
{% macro duckdb__replace_grown_rows(relation, new) -%}
    {%- call statement('new_rows', auto_begin=true) -%}
        {{ get_create_table_as_sql(true, new, sql) }}
    {%- endcall -%}
    {%- set names = get_quoted_csv(adapter.get_columns_in_relation(relation) | map(attribute='name')) -%}
    {%- call statement('delete') -%}
        delete from {{ relation }}
        where {{ config.require('meta').grows_by }} in ({{ grown_keys(new) }})
    {%- endcall -%}
    {%- call statement('main') -%}
        insert into {{ relation }} ({{ names }})
        select {{ names }}
        from {{ new }}
    {%- endcall -%}
{%- endmacro %}

{#- Keys that were declared go: the planner believes them, and the tests have not seen the new rows yet (declare_keys). Each in a
    transaction of its own, since it locks two tables: a key less is never wrong. -#}
{% macro redshift__replace_grown_rows(relation, new) -%}
    {%- set keys -%}
        select distinct constraint_name
        from information_schema.table_constraints
        where
            constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')
            and table_schema = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set names = run_query(keys).columns[0].values() -%}
    {%- for name in names -%}
        {%- call statement('drop_key', auto_begin=true) -%}
            alter table {{ relation }} drop constraint "{{ name }}" cascade
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endfor -%}
    {{ return(duckdb__replace_grown_rows(relation, new)) }}
{%- endmacro %}

{#- Athena has no transaction of several statements: one MERGE, to which what is to go is given, too. -#}
{% macro athena__replace_grown_rows(relation, new) -%}
    {%- do adapter.drop_relation(new) -%}  {# of a killed run #}
    {%- do safe_create_table_as(true, new, sql, 'sql', false) -%}
    {%- set names = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- set key = config.require('unique_key') -%}
    {%- set key = [key] if key is string else key -%}
    {%- call statement('main') -%}
        merge into {{ relation }} as kept
        using (
            select
                {{ names | join(', ') }},
                false as is_gone
            from {{ new }}
            union all
            select
                {{ names | join(', ') }},
                true as is_gone
            from {{ relation }} as old
            where
                {{ config.require('meta').grows_by }} in ({{ grown_keys(new) }})
                and not exists (
                    select 1
                    from {{ new }} as new
                    where {% for name in key %}new.{{ name }} = old.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
                )
        ) as grown
            on {% for name in key %}kept.{{ name }} = grown.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
        when matched and grown.is_gone then delete
        when matched then update set
        {%- for name in names | reject('in', key) %}
            {{ name }} = grown.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
        when not matched then insert ({{ names | join(', ') }})
        values ({% for name in names %}grown.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
    {%- endcall -%}
{%- endmacro %}

{#- It is the connection's own, and goes with it at the latest. -#}
{% macro default__drop_new_rows(new) -%}
    {%- do run_query('drop table if exists ' ~ new) -%}
{%- endmacro %}

{#- It is a table like the others. -#}
{% macro athena__drop_new_rows(new) -%}
    {%- do adapter.drop_relation(new) -%}
{%- endmacro %}
