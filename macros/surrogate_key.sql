{#- The null marker keeps (null, 'a') and ('a', null) apart, the separator ('1', '12') and ('11', '2'). No landed text is longer
    than 65,535 bytes, so the cast cuts none. -#}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- if not loop.first %}{% do parts.append("'|'") %}{% endif -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as varchar(65535)), '~null~')") -%}
    {%- endfor -%}
    {{ md5_hex(dbt.concat(parts)) }}
{%- endmacro %}
