with records as (

    select * from {{ ref('stg_stedi__customers') }}

),

identities as (

    select * from {{ ref('stg_stedi__customer_identities') }}

),

withdrawals as (

    select * from {{ ref('stg_stedi__customer_withdrawals') }}

),

identified as (

    select
        identities.canonical_email,
        records.email,
        records.customer_name,
        records.phone,
        records.birth_day,
        records.serial_number,
        records.registration_date,
        -- a withdrawal that is dated ahead was known when it was landed
        case
            when records.share_with_research_as_of_date is null then least(records.last_update_date, records.landed_at)
            else records.last_update_date
        end as last_update_date,
        records.share_with_research_as_of_date,
        records.share_with_public_as_of_date,
        records.share_with_friends_as_of_date
    from records
    inner join identities
        on records.email = identities.email
    where
        -- a blank is nobody's address
        identities.canonical_email <> ''
        -- a consent that is dated after it was landed is no consent yet, and must not outvote a withdrawal
        and (
            records.share_with_research_as_of_date is null
            or records.last_update_date <= records.landed_at
        )

),

remembered as (

    -- whoever withdrew has withdrawn, also if a later delivery no longer has the record; of whom nothing else is there, nothing
    -- needs to be denied
    select
        identified.canonical_email,
        withdrawals.withdrawn_at,
        min(identified.email) as email
    from identified
    inner join withdrawals
        on identified.canonical_email = withdrawals.canonical_email
    group by
        identified.canonical_email,
        withdrawals.withdrawn_at
    having
        count(case
            when
                identified.share_with_research_as_of_date is null
                and identified.last_update_date = withdrawals.withdrawn_at
                then 1
        end) = 0

),

known as (

    select * from identified
    union all
    select
        canonical_email,
        email,
        cast(null as varchar(512)) as customer_name,
        cast(null as varchar(64)) as phone,
        cast(null as date) as birth_day,
        cast(null as varchar(64)) as serial_number,
        cast(null as timestamp) as registration_date,
        withdrawn_at as last_update_date,
        cast(null as timestamp) as share_with_research_as_of_date,
        cast(null as timestamp) as share_with_public_as_of_date,
        cast(null as timestamp) as share_with_friends_as_of_date
    from remembered

),

ranked as (

    -- of several records of one millisecond, the one without consent decides, then the latest consent: in doubt, for privacy
    select
        *,
        row_number() over (
            partition by canonical_email, last_update_date
            order by
                case when share_with_research_as_of_date is null then 0 else 1 end asc,
                share_with_research_as_of_date desc,
                registration_date desc nulls last,
                serial_number asc nulls last, email asc,
                customer_name asc nulls last, phone asc nulls last, birth_day asc nulls last,
                share_with_public_as_of_date asc nulls last, share_with_friends_as_of_date asc nulls last
        ) as precedence
    from known

),

deciding as (

    select
        canonical_email,
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
        cast(row_number() over (partition by canonical_email order by last_update_date desc) as integer) as recency
    from ranked
    where precedence = 1

)

select * from deciding
