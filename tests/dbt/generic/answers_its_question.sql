{#- `asked` names the columns that the question gives, `answer` the columns of seeds/expected_answers.csv that answer it, each with
    the SQL that computes it from the model. A data set that has answers, but none to this question, fails, too: it would pass by
    saying nothing. -#}
{% test answers_its_question(model, asked, answer) %}

    with known as (

        select expected_answers.*
        from {{ ref('expected_answers') }} as expected_answers
        inner join {{ source('loader', 'built_from') }} as built_from
            on expected_answers.dataset = built_from.counted_as

    ),

    expected as (

        select
            {{ (asked + answer.keys() | list) | join(', ') }}
        from known
        where question = '{{ model.identifier }}'

    ),

    questions as (

        select distinct {{ asked | join(', ') }}
        from expected

    ),

    answered as (

        select
            {%- for column in asked %}
            model.{{ column }},
            {%- endfor %}
            {%- for column, expression in answer.items() %}
            {{ expression }} as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }} as model
        inner join questions
            on
                {%- for column in asked %}
                {{ 'and ' if not loop.first }}model.{{ column }} = questions.{{ column }}
                {%- endfor %}

    ),

    missing as (

        select * from expected
        except
        select * from answered

    ),

    wrong as (

        select * from answered
        except
        select * from expected

    ),

    nothing_asked as (

        select count(*) as answers
        from known
        having
            count(*) > 0
            and count(case when question = '{{ model.identifier }}' then 1 end) = 0

    ),

    faults as (

        select 'an answer is missing' as fault
        from missing
        union all
        select 'an answer is wrong' as fault
        from wrong
        union all
        select 'nothing is asked' as fault
        from nothing_asked

    )

    select *
    from faults

{% endtest %}
