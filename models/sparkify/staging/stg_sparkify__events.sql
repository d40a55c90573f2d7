with renamed as (

    -- distinct: a delivery that overlaps another one repeats its records
    select distinct
        cast(sessionid as bigint) as session_id,
        cast(iteminsession as integer) as item_in_session,
        {{ epoch_ms_to_timestamp('ts') }} as occurred_at,

        cast(nullif(userid, '') as integer) as user_id,
        nullif(firstname, '') as first_name,
        nullif(lastname, '') as last_name,
        nullif(gender, '') as gender,
        nullif(level, '') as level,
        nullif(location, '') as location,
        nullif(useragent, '') as user_agent,
        -- a float in the raw data, which has no fraction
        {{ epoch_ms_to_timestamp('cast(registration as bigint)') }} as registered_at,

        auth,
        page,
        method,
        cast(status as integer) as http_status,

        nullif(song, '') as song_title,
        nullif(artist, '') as artist_name,
        length as song_duration_s
    from {{ source('sparkify', 'staging_events') }}

)

select * from renamed
