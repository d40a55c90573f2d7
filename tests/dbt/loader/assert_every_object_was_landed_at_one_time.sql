-- A record has its time from the object in which it lies, so no object may hold files that were landed at different times.
with ledger as (

    select
        table_name,
        object_key,
        landed_at
    from {{ source('loader', 'ledger') }}
    where object_key is not null

),

mixed as (

    select
        table_name,
        object_key,
        count(distinct landed_at) as times
    from ledger
    group by
        table_name,
        object_key
    having count(distinct landed_at) > 1

)

select * from mixed
