-- Who listened to the song T?
with expected as (

    select
        song_title,
        user_id,
        user_name
    from {{ ref('expected_answers') }}
    where
        dataset = '{{ var("dataset") }}'
        and question = 'users_by_song'

),

actual as (

    select
        song_title,
        user_id,
        {{ dbt.concat(['first_name', "' '", 'last_name']) }} as user_name
    from {{ ref('users_by_song') }}

),

asked as (

    select distinct song_title
    from expected

),

answered as (

    select actual.*
    from actual
    inner join asked
        on actual.song_title = asked.song_title

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
