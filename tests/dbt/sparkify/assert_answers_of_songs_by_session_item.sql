-- Which artist and song was item I of session S, and how long was it?
with expected as (

    select
        session_id,
        item_in_session,
        artist_name,
        song_title,
        length_s
    from {{ ref('expected_answers') }}
    where
        dataset = '{{ var("dataset") }}'
        and question = 'songs_by_session_item'

),

actual as (

    select
        session_id,
        item_in_session,
        artist_name,
        song_title,
        song_duration_s as length_s
    from {{ ref('songs_by_session_item') }}

),

asked as (

    select distinct
        session_id,
        item_in_session
    from expected

),

answered as (

    select actual.*
    from actual
    inner join asked
        on
            actual.session_id = asked.session_id
            and actual.item_in_session = asked.item_in_session

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
