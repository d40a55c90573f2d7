with records as (

    select * from {{ ref('int_stedi__customer_records') }}

),

compared as (

    select
        canonical_email,
        last_update_date,
        share_with_research_as_of_date,
        lag(share_with_research_as_of_date) over (
            partition by canonical_email order by last_update_date
        ) as previous_consent,
        max(case when share_with_research_as_of_date is null then last_update_date end) over (
            partition by canonical_email order by last_update_date
            rows between unbounded preceding and 1 preceding
        ) as refused_at
    from records

),

judged as (

    select
        canonical_email,
        last_update_date,
        share_with_research_as_of_date,
        -- a record cannot undo that there was no consent when the one before it was written
        case
            when share_with_research_as_of_date > refused_at or refused_at is null then share_with_research_as_of_date
            when share_with_research_as_of_date is not null then last_update_date
        end as consented_from,
        -- the same date is the same consent; a later one was given anew
        case
            when share_with_research_as_of_date > previous_consent then 1
            when share_with_research_as_of_date is not null and previous_consent is null then 1
            else 0
        end as begins_period
    from compared

),

numbered as (

    -- records without consent belong to the period that they end
    select
        canonical_email,
        last_update_date,
        share_with_research_as_of_date,
        consented_from,
        sum(begins_period) over (
            partition by canonical_email order by last_update_date
            rows between unbounded preceding and current row
        ) as period_number
    from judged

),

periods as (

    select
        canonical_email,
        period_number,
        min(consented_from) as in_force_from,
        max(case when share_with_research_as_of_date is not null then last_update_date end) as confirmed_at,
        min(case when share_with_research_as_of_date is null then last_update_date end) as withdrawn_at
    from numbered
    where period_number > 0
    group by
        canonical_email,
        period_number

),

followed as (

    select
        canonical_email,
        in_force_from,
        confirmed_at,
        withdrawn_at,
        min(in_force_from) over (
            partition by canonical_email order by period_number
            rows between 1 following and unbounded following
        ) as next_from
    from periods

),

ended as (

    -- a consent given anew tells that the old one was over, but not since when: it counts up to where it is known to have held
    select
        canonical_email,
        in_force_from,
        case
            when withdrawn_at is not null then withdrawn_at
            when next_from is not null then least(confirmed_at, next_from)
        end as in_force_until,
        next_from
    from followed

),

in_force as (

    -- a period that ended as it began stays: what was read after it was read without consent. One that ended before it began
    -- never was, and one that the next takes the place of is no end
    select
        canonical_email,
        in_force_from,
        in_force_until
    from ended
    where
        in_force_until is null
        or in_force_from < in_force_until
        or (
            in_force_from = in_force_until
            and (next_from is null or next_from > in_force_from)
        )

),

final as (

    select
        canonical_email,
        in_force_from,
        in_force_until,
        lead(in_force_from) over (partition by canonical_email order by in_force_from) as resumed_at
    from in_force

)

select * from final
