{%- set since = grows_since() -%}

with landed as (

    select
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
        length as song_duration_s,

        landed_at
    from {{ source('sparkify', 'staging_events') }}
    {%- if since is not none %}
    where landed_at > {{ since }}
    {%- endif %}

),

records as (

    select * from landed
    {%- if since is not none %}
    union all
    -- what was chosen before, of the same sessions: the best of it and of the new records is the best of all
    select * from {{ this }}
    where session_id in (select landed.session_id from landed)
    {%- endif %}

),

ranked as (

    -- what was landed last corrects what came before. Of one load, the record that knows the user wins, then the one that knows
    -- the song; the rest only makes the choice repeatable
    select
        *,
        row_number() over (
            partition by session_id, item_in_session
            order by
                landed_at desc,
                case when user_id is null then 1 else 0 end asc,
                case when song_title is null then 1 else 0 end asc,
                occurred_at asc, page asc, user_id asc, level asc, song_title asc, artist_name asc, song_duration_s asc,
                first_name asc, last_name asc, gender asc, location asc, user_agent asc, registered_at asc, auth asc,
                method asc, http_status asc
        ) as preference
    from records

),

chosen as (

    select
        session_id,
        item_in_session,
        occurred_at,
        user_id,
        first_name,
        last_name,
        gender,
        level,
        location,
        user_agent,
        registered_at,
        auth,
        page,
        method,
        http_status,
        song_title,
        artist_name,
        song_duration_s,
        landed_at
    from ranked
    where preference = 1

)

select * from chosen
