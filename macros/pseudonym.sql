{#- Salted, so that nobody who knows an e-mail address can look its pseudonym up by hashing it. Sparkify's and STEDI's
    training data are public and their people fictional, so a known salt serves there; anything else needs a secret one. -#}
{% macro pseudonym(column) -%}
    {%- set salt = env_var('PSEUDONYM_SALT', '') -%}
    {%- if not salt and var('dataset') in var('counted_datasets') -%}
        {%- set salt = 'public training data, nothing to hide' -%}
    {%- endif -%}
    {%- if not salt and execute and flags.WHICH != 'parse' -%}
        {%- do exceptions.raise_compiler_error(
            "No salt for the pseudonyms of data set '" ~ var('dataset') ~ "'. Set PSEUDONYM_SALT in the environment to a long "
            ~ "random text and keep it: with another one, the same customer gets another pseudonym."
        ) -%}
    {%- endif -%}
    {{ sha256_hex(dbt.concat([dbt.string_literal(dbt.escape_single_quotes(salt)), column])) }}
{%- endmacro %}
