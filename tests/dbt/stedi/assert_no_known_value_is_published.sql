-- No address, name, phone or serial number that is known stands in what may name nobody, neither as a value nor as words of a longer
-- one, up to four in a row. Compared by equality, so that the work grows with the data and no faster. Known values of fewer than 4
-- characters are not looked for: an empty name is nobody's. What is found is not shown, only where.
-- depends_on: {{ ref('machine_learning_curated', v=2) }}, {{ ref('machine_learning_curated', v=3) }}, {{ ref('age_bands_curated') }}
-- depends_on: {{ ref('machine_learning_dictionary') }}, {{ ref('published_anonymity') }}, {{ ref('reidentification_risk') }}
-- depends_on: {{ ref('consent_history') }}, {{ ref('consent_periods_snapshot') }}
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

positions as (

    {% for position in range(1, 65) -%}
    select cast({{ position }} as integer) as position
    {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}

),

words as (

    select
        counted.place,
        counted.published_text,
        positions.position,
        split_part(counted.all_words, ' ', positions.position) as word
    from counted
    inner join positions
        on counted.word_count >= positions.position

),

followed as (

    select
        place,
        word,
        lead(word, 1) over (partition by place, published_text order by position) as second_word,
        lead(word, 2) over (partition by place, published_text order by position) as third_word,
        lead(word, 3) over (partition by place, published_text order by position) as fourth_word
    from words

),

phrases as (

    select
        place,
        all_words as phrase
    from counted
    union all
    select
        place,
        word as phrase
    from followed
    union all
    select
        place,
        word || ' ' || second_word as phrase
    from followed
    union all
    select
        place,
        word || ' ' || second_word || ' ' || third_word as phrase
    from followed
    union all
    select
        place,
        word || ' ' || second_word || ' ' || third_word || ' ' || fourth_word as phrase
    from followed

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
