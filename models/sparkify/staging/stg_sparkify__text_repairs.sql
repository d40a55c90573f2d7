with renamed as (

    select
        garbled_text,
        repaired_text
    from {{ source('sparkify', 'text_repairs') }}

)

select * from renamed
