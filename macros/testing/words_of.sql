{#- A text in small letters, as words with one blank between them and around all: what is no part of a word, an address or a number is a
    blank. Only functions that all engines have. -#}
{% macro words_of(text) -%}
    {%- set no_word = ',;:()<>[]{}|/"!?=*#&~\t\n\r' ~ "''" -%}
    {#- a full stop ends a sentence where a blank follows; within an address it stays -#}
    {%- set plain = "translate(' ' || lower(" ~ text ~ ") || ' ', '" ~ no_word ~ "', '" ~ ' ' * (no_word | length - 1) ~ "')" -%}
    {%- set plain = "replace(" ~ plain ~ ", '. ', ' ')" -%}
    {#- of a row of blanks one is left: each goes as a pair, and the other half of neighbouring pairs with it -#}
    replace(replace(replace({{ plain }}, ' ', ' ~'), '~ ', ''), '~', '')
{%- endmacro %}
