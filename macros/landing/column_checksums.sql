{#- The checksums of a landing table's columns: of each what the loader calls it in the ledger, and how SQL works out the number
    of its values and their sum. scripts/lakehouse/records/checksums.py tells what a value measures, and why. -#}
{% macro column_checksums(table) -%}
    {%- set key = table.meta.get('checksum_key', []) -%}
    {%- set found = [] -%}
    {%- for column in record_columns(table) -%}
        {%- set name = '"' ~ column.name | lower ~ '"' -%}
        {%- if key -%}
            {%- set parts = [] -%}
            {%- for part in key + [column.name] -%}
                {%- set is_text = table.columns[part].data_type.startswith('varchar') -%}
                {%- do parts.append('"' ~ part | lower ~ '"' if is_text else 'cast("' ~ part | lower ~ '" as varchar(20))') -%}
            {%- endfor -%}
            {%- set measure, value = 'md5 with ' ~ key | join(', '), md5_number(parts | join(" || '|' || ")) -%}
        {%- elif column.data_type.startswith('varchar') -%}
            {%- set measure, value = 'characters', 'length(' ~ name ~ ')' -%}
        {%- elif column.data_type == 'boolean' -%}
            {%- set measure, value = 'true', 'case when ' ~ name ~ ' then 1 else 0 end' -%}
        {%- elif column.data_type == 'double precision' -%}
            {%- set measure, value = 'sum of doubles', 'case when abs(' ~ name ~ ') < 1e15 then ' ~ name ~ ' end' -%}
        {%- else -%}
            {%- set measure, value = 'sum', name -%}
        {%- endif -%}
        {%- do found.append({
            'column': column.name,
            'entry': column.name ~ ' ' ~ measure,
            'count': 'count(' ~ name ~ ')',
            'type': 'double precision' if measure == 'sum of doubles' else 'decimal(38, 0)',
            'value': value,
        }) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
