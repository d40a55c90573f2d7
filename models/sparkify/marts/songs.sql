with songs as (

    select * from {{ ref('stg_sparkify__songs') }}

),

final as (

    select
        song_id,
        title,
        artist_id,
        year,
        duration_s as duration
    from songs

)

select * from final
