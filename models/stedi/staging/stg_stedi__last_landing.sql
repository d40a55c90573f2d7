with renamed as (

    -- the clock of what was landed: the same records give the same tables, whenever they are built, and whatever else is landed
    select {{ epoch_ms_to_timestamp('max(landed_at)') }} as last_landed_at
    from {{ source('loader', 'ledger') }}
    where table_name in ({{ names_of_landing_tables('stedi') }})

)

select * from renamed
