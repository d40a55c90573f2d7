{#- Salted, so that nobody who knows an e-mail address can look its pseudonym up by hashing it. Sparkify's and STEDI's
    training data are public and their people fictional, so a known salt serves there; anything else needs a secret one. -#}
{% macro pseudonym(column) -%}
    {%- set salt = env_var('PSEUDONYM_SALT', '') -%}
    {%- set is_public = var('dataset') in var('public_datasets') or var('dataset').startswith('sample_x') -%}
    {%- if not salt and is_public -%}
        {%- set salt = 'public training data, nothing to hide' -%}
    {%- endif -%}
    {%- if not salt and execute -%}
        {%- do exceptions.raise_compiler_error(
            "There is no salt for the pseudonyms of data set '" ~ var('dataset') ~ "'. Set PSEUDONYM_SALT to a long random text, for "
            ~ "instance what `openssl rand -hex 32` prints, and keep it: with another salt, customers get other pseudonyms."
        ) -%}
    {%- endif -%}
    {{ sha256_hex(dbt.concat([dbt.string_literal(dbt.escape_single_quotes(salt)), column])) }}
{%- endmacro %}
