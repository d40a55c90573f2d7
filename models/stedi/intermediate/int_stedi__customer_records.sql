with records as (

    select * from {{ ref('stg_stedi__customers') }}

),

ranked as (

    -- of two records written in the same millisecond, the one without consent decides: in doubt, for privacy
    select
        *,
        row_number() over (
            partition by email, last_update_date
            order by
                registration_date desc,
                case when share_with_research_as_of_date is null then 0 else 1 end asc,
                share_with_research_as_of_date desc,
                serial_number asc, customer_name asc, phone asc, birth_day asc,
                share_with_public_as_of_date asc, share_with_friends_as_of_date asc
        ) as precedence
    from records

),

deciding as (

    select
        email,
        customer_name,
        phone,
        birth_day,
        serial_number,
        registration_date,
        last_update_date,
        share_with_research_as_of_date,
        share_with_public_as_of_date,
        share_with_friends_as_of_date,
        cast(row_number() over (partition by email order by last_update_date desc) as integer) as recency
    from ranked
    where precedence = 1

)

select * from deciding
