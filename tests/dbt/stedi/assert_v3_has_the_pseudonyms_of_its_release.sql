-- Everybody who is in v2 is in v3, under the pseudonym that was drawn for the release, with as many rows: nobody's rows are lost,
-- doubled, or under the pseudonym that lasts. Compared with the landing table, where it was drawn.
with study_people as (

    select
        customer_pseudonym,
        count(*) as readings
    from {{ ref('machine_learning_curated', v=2) }}
    group by customer_pseudonym

),

released_people as (

    select
        release_pseudonym,
        count(*) as readings
    from {{ ref('machine_learning_curated', v=3) }}
    group by release_pseudonym

),

drawn as (

    select distinct
        customer_pseudonym,
        release_pseudonym
    from {{ source('stedi', 'release_pseudonyms') }}

),

expected as (

    select
        drawn.release_pseudonym,
        study_people.readings
    from study_people
    left join drawn
        on study_people.customer_pseudonym = drawn.customer_pseudonym

),

faults as (

    select
        expected.release_pseudonym as expected_pseudonym,
        released_people.release_pseudonym
    from expected
    full outer join released_people
        on
            expected.release_pseudonym = released_people.release_pseudonym
            and expected.readings = released_people.readings
    where
        expected.release_pseudonym is null
        or released_people.release_pseudonym is null

)

select * from faults
