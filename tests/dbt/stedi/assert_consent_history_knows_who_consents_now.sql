-- As is known today: the customers with a period that is not over are those whose latest landed record consents, nobody else and
-- all of them. Who is suspended, or whose consent is dated ahead, has not withdrawn: of these there may be a period.
with consenting as (

    select
        canonical_email,
        consented_at_ms
    from {{ ref('stg_stedi__check_consenting') }}

),

decided as (

    select
        canonical_email,
        updated_ms,
        consented_ms
    from {{ ref('stg_stedi__check_decided') }}

),

last_updates as (

    select
        canonical_email,
        max(updated_ms) as updated_ms
    from decided
    group by canonical_email

),

known as (

    select distinct customer_pseudonym
    from {{ ref('consent_history') }}
    where
        consented_until is null
        and known_until is null

),

consenting_pseudonyms as (

    select distinct identities.customer_pseudonym
    from consenting
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on consenting.canonical_email = identities.canonical_email

),

denying_pseudonyms as (

    select distinct identities.customer_pseudonym
    from decided
    inner join last_updates
        on
            decided.canonical_email = last_updates.canonical_email
            and decided.updated_ms = last_updates.updated_ms
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on decided.canonical_email = identities.canonical_email
    where decided.consented_ms is null

),

recorded_pseudonyms as (

    select distinct identities.customer_pseudonym
    from decided
    inner join {{ ref('stg_stedi__customer_identities') }} as identities
        on decided.canonical_email = identities.canonical_email

),

differences as (

    select
        'consents, and the history does not know' as fault,
        customer_pseudonym
    from consenting_pseudonyms
    where customer_pseudonym not in (select known.customer_pseudonym from known)
    union all
    select
        'has withdrawn, and the history does not know' as fault,
        customer_pseudonym
    from denying_pseudonyms
    where customer_pseudonym in (select known.customer_pseudonym from known)
    union all
    select
        'is gone, and the history does not know' as fault,
        customer_pseudonym
    from known
    where customer_pseudonym not in (select recorded_pseudonyms.customer_pseudonym from recorded_pseudonyms)

)

select * from differences
