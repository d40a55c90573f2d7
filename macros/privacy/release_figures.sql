{#- Run as an operation: what is told of a release of the training data, as one answer. -#}
{% macro release_figures() -%}
    {%- set released = ref('machine_learning_curated', v=3) -%}
    {%- set counts = run_query(
        'select count(distinct release_pseudonym) as people, count(*) as row_count from ' ~ released
    ).rows[0] -%}
    {%- set sessions = run_query(
        'select count(*) from (select distinct release_pseudonym, session_number from ' ~ released ~ ') as sessions'
    ).rows[0] -%}
    {%- set bands = [] -%}
    {%- for row in run_query(
        'select age_band, customers, readings from ' ~ ref('published_anonymity') ~ ' where version = 3 order by age_band'
    ) -%}
        {%- do bands.append({'age_band': row[0], 'people': row[1] | int, 'rows': row[2] | int}) -%}
    {%- endfor -%}
    {%- do log('answer: ' ~ tojson({
        'people': counts[0] | int,
        'rows': counts[1] | int,
        'sessions': sessions[0] | int,
        'age_bands': bands,
        'risks': reidentification_risks(3),
    })) -%}
{%- endmacro %}

{#- The figures of a version, from few known readings to many. -#}
{% macro reidentification_risks(version) -%}
    {%- set risks = [] -%}
    {%- for row in run_query(
        'select known_readings, people, singled_out_by_some, singled_out_by_any from ' ~ ref('reidentification_risk')
        ~ ' where version = ' ~ version ~ ' order by known_readings'
    ) -%}
        {%- do risks.append({
            'known_readings': row[0] | int,
            'people': row[1] | int,
            'singled_out_by_some': row[2] | int,
            'singled_out_by_any': row[3] | int,
        }) -%}
    {%- endfor -%}
    {{ return(risks) }}
{%- endmacro %}

{#- Run as an operation: prints how many people somebody who knows some of their readings finds again. -#}
{% macro print_reidentification_risk() -%}
    {{ print('%-44s %14s %14s %14s' % ('found again by readings in a row', 'of people', 'by some', 'by any')) }}
    {%- for version in [2, 3] -%}
        {%- for risk in reidentification_risks(version) -%}
            {{ print('%-44s %14s %14s %14s' % (
                'machine_learning_curated_v' ~ version ~ ', ' ~ risk.known_readings,
                '{:,}'.format(risk.people), '{:,}'.format(risk.singled_out_by_some), '{:,}'.format(risk.singled_out_by_any)
            )) }}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
