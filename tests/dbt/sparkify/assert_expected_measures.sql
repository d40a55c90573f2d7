-- What is known of the data set beyond row counts: how many plays find their song, with and without the repair of their text, and
-- who pays. Of a data set that has expected measures, one without fails, too; of any other data set nothing is asserted.
with songplays as (

    select * from {{ ref('songplays') }}

),

plays as (

    select * from {{ ref('int_sparkify__song_plays') }}

),

songs as (

    select * from {{ ref('stg_sparkify__songs') }}

),

users as (

    select * from {{ ref('users') }}

),

history as (

    select * from {{ ref('user_level_history') }}

),

found_before_repair as (

    select distinct plays.songplay_id
    from plays
    inner join songs
        on
            plays.raw_song_title = songs.title
            and plays.raw_artist_name = songs.artist_name

),

actual as (

    select
        'plays_matched' as measure,
        count(song_id) as measured
    from songplays
    union all
    select
        'plays_matched_before_repair' as measure,
        count(*) as measured
    from found_before_repair
    union all
    select
        'songs_played' as measure,
        count(distinct song_id) as measured
    from songplays
    union all
    select
        'artists_played' as measure,
        count(distinct artist_id) as measured
    from songplays
    union all
    select
        'paid_users' as measure,
        count(*) as measured
    from users
    where level = 'paid'
    union all
    select
        'free_users' as measure,
        count(*) as measured
    from users
    where level = 'free'
    union all
    select
        'level_changes' as measure,
        count(*) - count(distinct user_id) as measured
    from history
    union all
    select
        'users_who_never_play' as measure,
        count(*) as measured
    from users
    where user_id not in (
        select songplays.user_id
        from songplays
        where songplays.user_id is not null
    )

),

expected as (

    select
        expected_measures.measure,
        expected_measures.expected
    from {{ ref('expected_measures') }} as expected_measures
    inner join {{ source('loader', 'built_from') }} as built_from
        on expected_measures.dataset = built_from.counted_as
    where expected_measures.measure not like 'funnel/%'

),

known as (

    select count(*) as measures
    from expected

),

differences as (

    select
        actual.measure as actual_measure,
        expected.measure as expected_measure,
        actual.measured,
        expected.expected
    from actual
    full outer join expected
        on actual.measure = expected.measure
    cross join known
    where
        known.measures > 0
        and (
            actual.measure is null
            or expected.measure is null
            or actual.measured <> expected.expected
        )

)

select * from differences
