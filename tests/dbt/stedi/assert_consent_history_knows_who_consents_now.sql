-- As is known today: the customers with a period that is not over are those whose latest landed record consents, nobody else and
-- all of them.
with {{ consenting_in_landing() }},

known as (

    select distinct customer_pseudonym
    from {{ ref('consent_history') }}
    where
        consented_until is null
        and known_until is null

),

consenting_pseudonyms as (

    select pseudonyms.customer_pseudonym
    from consenting
    inner join {{ source('stedi', 'customer_pseudonyms') }} as pseudonyms
        on consenting.email = pseudonyms.email

),

differences as (

    select
        known.customer_pseudonym as known_pseudonym,
        consenting_pseudonyms.customer_pseudonym as consenting_pseudonym
    from known
    full outer join consenting_pseudonyms
        on known.customer_pseudonym = consenting_pseudonyms.customer_pseudonym
    where
        known.customer_pseudonym is null
        or consenting_pseudonyms.customer_pseudonym is null

)

select * from differences
