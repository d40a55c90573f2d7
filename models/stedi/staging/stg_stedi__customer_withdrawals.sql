with renamed as (

    select
        canonical_email,
        {{ epoch_ms_to_timestamp('withdrawn_ms') }} as withdrawn_at
    from {{ source('stedi', 'customer_withdrawals') }}

)

select * from renamed
