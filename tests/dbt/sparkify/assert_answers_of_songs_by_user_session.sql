-- What did user U hear in session S, in which order, and who is U?
with expected as (

    select
        user_id,
        session_id,
        item_in_session,
        artist_name,
        song_title,
        user_name
    from {{ ref('expected_answers') }}
    where
        dataset = '{{ var("dataset") }}'
        and question = 'songs_by_user_session'

),

actual as (

    select
        user_id,
        session_id,
        item_in_session,
        artist_name,
        song_title,
        {{ dbt.concat(['first_name', "' '", 'last_name']) }} as user_name
    from {{ ref('songs_by_user_session') }}

),

asked as (

    select distinct
        user_id,
        session_id
    from expected

),

answered as (

    select actual.*
    from actual
    inner join asked
        on
            actual.user_id = asked.user_id
            and actual.session_id = asked.session_id

),

missing as (

    select * from expected
    except
    select * from answered

),

surplus as (

    select * from answered
    except
    select * from expected

),

nothing_asked as (

    -- without a question the comparison would pass by saying nothing
    select count(*) as questions
    from expected
    having count(*) = 0

),

faults as (

    select 'an answer is missing' as fault
    from missing
    union all
    select 'an answer is wrong' as fault
    from surplus
    union all
    select 'nothing is asked' as fault
    from nothing_asked

)

select * from faults
