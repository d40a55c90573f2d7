-- No address, name, phone or serial number that is known stands in what may hold no personal data, neither as a value nor inside
-- of one. Values of fewer than 8 characters are only looked for as whole values, since they stand inside of others by chance,
-- and of fewer than 4 not at all: an empty name is nobody's. What is found is not shown, only where.
-- depends_on: {{ ref('machine_learning_curated', v=2) }}, {{ ref('machine_learning_dictionary') }}
-- depends_on: {{ ref('published_anonymity') }}, {{ ref('consent_history') }}, {{ ref('consent_periods_snapshot') }}
with customers as (

    select * from {{ ref('stg_stedi__customers') }}

),

values_of_customers as (

    select lower(email) as known_value
    from customers
    union all
    select lower(customer_name) as known_value
    from customers
    union all
    select lower(phone) as known_value
    from customers
    union all
    select lower(serial_number) as known_value
    from customers

),

known as (

    select distinct known_value
    from values_of_customers

),

published as (

    {{ published_texts() }}

),

found as (

    select
        published.place,
        count(*) as known_values
    from published
    inner join known
        on
            (published.published_text = known.known_value and length(known.known_value) >= 4)
            or (strpos(published.published_text, known.known_value) > 0 and length(known.known_value) >= 8)
    group by published.place

)

select * from found
