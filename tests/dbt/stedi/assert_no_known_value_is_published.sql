-- No address, name, phone or serial number that is known stands in what may name nobody, neither as a value nor as words of
-- a longer one, up to four in a row of the first 64. Compared by equality, so that the work grows with the data and no faster.
-- Known values of fewer than 4 characters are not looked for: an empty name is nobody's. What is found is not shown, only where.
-- depends_on: {{ ref('machine_learning_curated', v=2) }}, {{ ref('machine_learning_curated', v=3) }}
-- depends_on: {{ ref('age_bands_curated') }}, {{ ref('machine_learning_dictionary') }}, {{ ref('published_anonymity') }}
-- depends_on: {{ ref('stg_stedi__last_landing') }}, {{ ref('funnel_step_readings') }}, {{ ref('consent_funnel') }}
-- depends_on: {{ ref('consent_hourly') }}, {{ ref('readings_per_customer') }}, {{ ref('stedi_event_days') }}
-- depends_on: {{ ref('sample_trace') }}, {{ ref('stedi_figures') }}
-- depends_on: {{ ref('reidentification_risk') }}, {{ ref('consent_history') }}, {{ ref('consent_periods_snapshot') }}
with customers as (

    select * from {{ ref('stg_stedi__customers') }}

),

values_of_customers as (

    select email as known_value
    from customers
    union all
    select customer_name as known_value
    from customers
    union all
    select phone as known_value
    from customers
    union all
    select serial_number as known_value
    from customers

),

known as (

    select distinct trim({{ words_of('known_value') }}) as known_words
    from values_of_customers
    where length(known_value) >= 4

),

published as (

    {{ published_texts() }}

),

cleaned as (

    select
        place,
        published_text,
        {{ words_of('published_text') }} as all_words
    from published

),

counted as (

    select
        place,
        published_text,
        trim(all_words) as all_words,
        length(all_words) - length(replace(all_words, ' ', '')) - 1 as word_count
    from cleaned

),

numbered as (

    {{ numbers(64) }}

),

words as (

    select
        counted.place,
        counted.published_text,
        numbered.number_from_1 as word_number,
        split_part(counted.all_words, ' ', numbered.number_from_1) as word
    from counted
    inner join numbered
        on counted.word_count >= numbered.number_from_1

),

followed as (

    select
        place,
        word,
        lead(word, 1) over (partition by place, published_text order by word_number) as second_word,
        lead(word, 2) over (partition by place, published_text order by word_number) as third_word,
        lead(word, 3) over (partition by place, published_text order by word_number) as fourth_word
    from words

),

phrase_lengths as (

    select number_from_1 as words_in_a_row
    from numbered
    where number_from_1 <= 4

),

phrases as (

    -- `followed` is named once: Athena works out a CTE anew wherever it is named, and refuses a query of more than 150 stages
    select
        place,
        all_words as phrase
    from counted
    union all
    select
        followed.place,
        case phrase_lengths.words_in_a_row
            when 1 then followed.word
            when 2 then followed.word || ' ' || followed.second_word
            when 3 then followed.word || ' ' || followed.second_word || ' ' || followed.third_word
            else followed.word || ' ' || followed.second_word || ' ' || followed.third_word || ' ' || followed.fourth_word
        end as phrase
    from followed
    cross join phrase_lengths

),

found as (

    select
        phrases.place,
        count(*) as known_values
    from phrases
    inner join known
        on phrases.phrase = known.known_words
    group by phrases.place

)

select * from found
