{#- Redshift holds copies. What was copied stands in loader.objects, which changes in the same transaction as the table: so
    a second run copies nothing, and a run that was cut off has copied nothing. Two runs at once wait for each other: LOCK is the
    first statement of the transaction, since a SELECT, COPY, CREATE or DROP before it fixes what the transaction sees, and one
    that waited would go by a list of objects from before its wait (docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html;
    SNAPSHOT is the default). So the table that is locked is made in a transaction of its own.
    `auto_begin` lets dbt begin the transaction: where the connection was lost on the way, adapter.commit() fails; a COMMIT that
    is sent by hand would end nothing and say nothing. -#}
{% macro redshift__register_landing_table(table) -%}
    {%- set relation = landing_relation(table) -%}
    {%- set objects = loader_relation('objects') -%}
    {%- do redshift__create_objects_table(objects) -%}
    {%- call statement('lock', auto_begin=true) -%}
        lock table {{ objects }}
    {%- endcall -%}
    {%- set is_new = redshift__create_landing_table(table, relation) -%}
    {%- if table.name == 'ledger' -%}
        {%- do run_query('delete from ' ~ relation) -%}
        {%- do redshift__copy(table, relation, table.meta.landing_folder ~ '/', '') -%}
    {%- else -%}
        {%- do redshift__copy_new_objects(table, relation, objects, is_new) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
{%- endmacro %}

{#- dbt-redshift answers a conflict, a missing schema or a lost OID by closing the connection, with what its transaction had done,
    and repeating the one statement that failed on a new connection, where it commits by itself (`execute` of its connections.py;
    github.com/dbt-labs/dbt-adapters/pull/2064). Here a COPY would stay without its note in loader.objects; in dbt's own build,
    the old table would be renamed away and no new one take its place. Its default is one repeat. -#}
{% macro redshift__check_landing_zone() -%}
    {%- do default__check_landing_zone() -%}
    {%- if target.retries != 0 -%}
        {{ exceptions.raise_compiler_error(
            "profiles.yml has retries: " ~ target.retries ~ " for the target " ~ target.name ~ ", or nothing, which is 1: dbt-redshift "
            ~ "would repeat a statement outside of its transaction. Set retries: 0, as profiles.example.yml has it."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- A table that has rows, of which no object is noted, is copied anew. -#}
{% macro redshift__forget_copies(tables) -%}
    {%- do redshift__create_objects_table(loader_relation('objects')) -%}
    {%- do run_query('delete from ' ~ loader_relation('objects')) -%}
    {%- do adapter.commit() -%}
{%- endmacro %}

{#- The table was filled with the landing tables. -#}
{% macro redshift__register_landing_objects(tables) -%}
{%- endmacro %}

{#- The table is copied anew if an object that was copied no longer counts, since Redshift cannot tell which rows were its; and if
    it has not the rows that the ledger says it has, whatever changed them. -#}
{% macro redshift__copy_new_objects(table, relation, objects, is_new) -%}
    {%- set wanted = redshift__wanted_objects(table) -%}
    {%- set copied = [] if is_new else redshift__copied_objects(table, objects) -%}
    {%- if is_new or copied | reject('in', wanted) | list or not redshift__holds(relation, wanted, copied) -%}
        {%- do run_query('delete from ' ~ relation) -%}
        {%- do run_query('delete from ' ~ objects ~ " where table_name = '" ~ table.name ~ "'") -%}
        {%- set copied = [] -%}
    {%- endif -%}
    {%- set loads = {} -%}
    {%- for object_key in wanted -%}
        {%- do loads.setdefault((redshift__load_of(table, object_key), wanted[object_key].landed_at), []).append(object_key) -%}
    {%- endfor -%}
    {%- for (load, landed_at), object_keys in loads.items() if object_keys[0] not in copied -%}
        {%- set manifest = load ~ '-' ~ local_md5(object_keys | sort(case_sensitive=true) | join(',')) ~ '.json' -%}
        {%- set rows = redshift__rows_of(object_keys, wanted) -%}
        {%- if ledger_columns(table) -%}
            {%- do redshift__copy_by_way(table, relation, manifest, rows, landed_at) -%}
        {%- else -%}
            {%- do redshift__copy(table, relation, manifest, 'manifest gzip') -%}
            {%- do redshift__check_copied(relation, manifest, rows) -%}
        {%- endif -%}
        {%- do redshift__note_copied(table, objects, object_keys, wanted) -%}
    {%- endfor -%}
{%- endmacro %}

{#- Whether a table has as many rows as the ledger counts in the objects that were copied. -#}
{% macro redshift__holds(relation, wanted, copied) -%}
    {%- set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] | int -%}
    {{ return(rows == redshift__rows_of(copied, wanted)) }}
{%- endmacro %}

{% macro redshift__rows_of(object_keys, wanted) -%}
    {%- set counted = namespace(rows=0) -%}
    {%- for object_key in object_keys -%}
        {%- set counted.rows = counted.rows + wanted[object_key].row_count -%}
    {%- endfor -%}
    {{ return(counted.rows) }}
{%- endmacro %}

{#- COPY fills columns from the records only, so what the ledger says of them is added on the way out of a table that ends with
    the transaction. An update of the landing table would leave a dead row for every row. -#}
{% macro redshift__copy_by_way(table, relation, manifest, rows, landed_at) -%}
    {%- set copied = api.Relation.create(identifier=table.name ~ '__copied') -%}
    {%- set names = record_columns(table) | map(attribute='name') | map('lower') | list -%}
    {%- set sql -%}
        create temporary table {{ copied }} (
        {%- for column in record_columns(table) %}
            "{{ column.name | lower }}" {{ column.data_type }}{{ ',' if not loop.last }}
        {%- endfor %}
        )
        diststyle even
    {%- endset -%}
    {%- do run_query(sql) -%}
    {%- do redshift__copy(table, copied, manifest, 'manifest gzip') -%}
    {%- do redshift__check_copied(relation, manifest, rows) -%}
    {%- set sql -%}
        insert into {{ relation }} ("{{ names | join('", "') }}"
        {%- for column in ledger_columns(table) %}, {{ column.name }}{% endfor %})
        select "{{ names | join('", "') }}"
        {%- for column in ledger_columns(table) %}, cast({{ landed_at }} as {{ column.data_type }}){% endfor %}
        from {{ copied }}
    {%- endset -%}
    {%- do run_query(sql) -%}
    {%- do run_query('drop table ' ~ copied) -%}
{%- endmacro %}

{#- `format json` with paths, since keys are case-sensitive in COPY and columns are not; the loader's own books are lower case.
    COPY looks for the bucket in the cluster's region unless it is told another, which holds for manifest and JSONPaths, too
    (docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html). The commands find the region out by themselves. -#}
{% macro redshift__copy(table, relation, from, options) -%}
    {%- set role = env_var('REDSHIFT_COPY_IAM_ROLE', 'default') -%}
    {%- set names = record_columns(table) | map(attribute='name') | list -%}
    {%- set region = env_var('LANDING_ZONE_REGION', '') -%}
    {%- set paths = landing_zone() ~ '/loader/copy/' ~ table.name ~ '/jsonpaths-' ~ local_md5(names | join(',')) ~ '.json' -%}
    {%- set sql -%}
        copy {{ relation }} (
        {%- for name in names %}
            "{{ name | lower }}"{{ ',' if not loop.last }}
        {%- endfor %}
        )
        from {{ dbt.string_literal(dbt.escape_single_quotes(landing_zone() ~ '/' ~ from)) }}
        iam_role {{ role if role == 'default' else dbt.string_literal(role) }}
        format json {{ "'auto'" if table.source_name == 'loader' else dbt.string_literal(dbt.escape_single_quotes(paths)) }}
        {{ 'region ' ~ dbt.string_literal(dbt.escape_single_quotes(region)) if region }}
        {{ options }}
        compupdate off
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}

{% macro redshift__check_copied(relation, load, expected) -%}
    {%- set copied = run_query('select pg_last_copy_count()').columns[0].values()[0] -%}
    {%- if copied != expected -%}
        {{ exceptions.raise_compiler_error(
            "COPY took " ~ copied ~ " rows of " ~ load ~ " into " ~ relation ~ ", the ledger says " ~ expected ~ ". Nothing was changed."
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro redshift__note_copied(table, objects, object_keys, rows) -%}
    {%- for some in object_keys | batch(500) -%}
        {%- set sql -%}
            insert into {{ objects }} (table_name, object_key, row_count) values
            {%- for object_key in some %}
                ('{{ table.name }}', {{ dbt.string_literal(dbt.escape_single_quotes(object_key)) }}, {{ rows[object_key].row_count }}){{ ',' if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {%- do run_query(sql) -%}
    {%- endfor -%}
{%- endmacro %}

{#- What the ledger names for a table (`named_objects`), by object. -#}
{% macro redshift__wanted_objects(table) -%}
    {%- set sql -%}
        select
            object_key,
            row_count,
            {{ 'landed_at' if ledger_columns(table) else 0 }}
        from {{ named_objects(table) }} as named
        order by object_key
    {%- endset -%}
    {%- set wanted = {} -%}
    {%- for row in run_query(sql).rows -%}
        {%- do wanted.update({row[0]: {'row_count': row[1] | int, 'landed_at': row[2] | int}}) -%}
    {%- endfor -%}
    {{ return(wanted) }}
{%- endmacro %}

{% macro redshift__copied_objects(table, objects) -%}
    {%- set copied = run_query('select object_key from ' ~ objects ~ " where table_name = '" ~ table.name ~ "'") -%}
    {{ return(copied.columns[0].values() | list) }}
{%- endmacro %}

{#- The manifest of the load that wrote an object, but for the MD5 of their list; see scripts/lakehouse/landing/manifests.py. -#}
{% macro redshift__load_of(table, object_key) -%}
    {%- set folders = object_key.split('/') -%}
    {%- set of = folders[2] ~ '/quarantine' if table.name == 'quarantine' else table.name ~ '/records' -%}
    {{ return('loader/copy/' ~ of ~ '/' ~ folders[-1].rsplit('-', 1)[0]) }}
{%- endmacro %}

{#- Says whether the table is empty because it was made just now: for the first time, or of other columns than before. -#}
{% macro redshift__create_landing_table(table, relation) -%}
    {%- set found = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do found.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
    {%- set declared = {} -%}
    {%- for column in table.columns.values() -%}
        {%- do declared.update({column.name | lower: column.data_type.replace('varchar', 'character varying')}) -%}
    {%- endfor -%}
    {%- if found == declared -%}
        {{ return(false) }}
    {%- endif -%}
    {%- do run_query('drop table if exists ' ~ relation) -%}
    {%- set sql -%}
        create table if not exists {{ relation }} (
        {%- for name, data_type in declared.items() %}
            "{{ name }}" {{ data_type }}{{ ',' if not loop.last }}
        {%- endfor %}
        )
        diststyle even
    {%- endset -%}
    {%- do run_query(sql) -%}
    {{ return(true) }}
{%- endmacro %}

{% macro redshift__create_objects_table(objects) -%}
    {%- set sql -%}
        {{ duckdb__create_declared_table(loader_source('objects'), objects) }}
        diststyle all
    {%- endset -%}
    {%- do run_query(sql) -%}
{%- endmacro %}
