-- Nothing that was read is lost: for every source file, what was found was landed, is in the quarantine, where it can be seen,
-- or was left out, since it names somebody who was erased.
with ledger as (

    select
        table_name,
        source,
        source_file,
        sum(records_found) as records_found,
        sum(records_landed) as records_landed,
        sum(records_quarantined) as records_quarantined,
        sum(coalesce(records_suppressed, 0)) as records_suppressed
    from {{ source('loader', 'ledger') }}
    group by
        table_name,
        source,
        source_file

),

quarantine as (

    select
        table_name,
        source,
        source_file,
        count(*) as records_quarantined
    from {{ source('loader', 'quarantine') }}
    group by
        table_name,
        source,
        source_file

),

faults as (

    select
        ledger.source_file,
        ledger.records_found,
        ledger.records_landed,
        ledger.records_quarantined,
        ledger.records_suppressed,
        quarantine.records_quarantined as records_in_quarantine
    from ledger
    full outer join quarantine
        on
            ledger.table_name = quarantine.table_name
            and ledger.source = quarantine.source
            and ledger.source_file = quarantine.source_file
    where
        ledger.records_found <> ledger.records_landed + ledger.records_quarantined + ledger.records_suppressed
        or ledger.records_quarantined <> coalesce(quarantine.records_quarantined, 0)
        or ledger.table_name is null

)

select * from faults
