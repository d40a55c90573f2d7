with renamed as (

    -- the clock of what was landed: the same records give the same tables, whenever they are built
    select {{ epoch_ms_to_timestamp('max(landed_at)') }} as last_landed_at
    from {{ source('loader', 'ledger') }}

)

select * from renamed
