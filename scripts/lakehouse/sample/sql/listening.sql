-- Who listens to what: users, their sessions, the events of November 2018. Sessions and users with small numbers are
-- written out, event by event, because each is a case; the others are drawn.

create table case_user (
    user_no integer, first_name varchar, last_name varchar, gender varchar, level varchar
);

insert into case_user values
(2, 'Nell', 'Hartigan', 'F', 'paid'), -- goes paid, free, paid inside one session
(3, 'Tobin', 'Ash', 'M', 'free'), -- pays from the middle of a session on that runs past midnight
(4, 'Maren', 'Solberg', 'F', 'free'), -- never plays a song
(5, 'Iris', 'Calloway', 'F', 'free'), -- two users of one name
(6, 'Iris', 'Calloway', 'F', 'free'),
(7, 'Jude', 'Okafor', 'M', 'paid'); -- listens on two devices in the same millisecond

create table listener as
with

case_users as (select * from case_user),

drawn as (
    select
        i::integer as user_no,
        draw('user', i) as bits
    from range(8, 2 + at_scale(97, 14)) as r(i)
),

named as (
    select user_no, first_name, last_name, gender, level, draw('user', user_no) as bits from case_users
    union all
    select
        user_no,
        word(getvariable('first_names'), pick(bits, 0, 4096)),
        word(getvariable('last_names'), pick(bits, 12, 4096)),
        if(pick(bits, 24, 100) < 57, 'F', 'M'),
        if(pick(bits, 32, 100) < 20, 'paid', 'free'),
        bits
    from drawn
)

select
    user_no,
    json_text(first_name) as first_name,
    json_text(last_name) as last_name,
    gender,
    level,
    word(getvariable('user_places'), pick(bits, 40, 4096)) as location,
    word(getvariable('user_agents'), pick(bits, 50, 4096)) as user_agent,
    -- some time in October
    1538352000796 + 1000 * pick(bits, 8, 2600000) as registration
from named
order by user_no;

-- What is played. 5 % of the tracks are songs of the catalogue; most others share a title or an artist with it, but
-- not both.
create table track as
with

songs as (select * from song),

numbers as (
    select
        i as track_no,
        draw('track', i) as bits,
        draw('track title', i) as title_bits,
        draw('track artist', i) as name_bits
    from range(at_scale(5200, 250)) as r(i)
),

songs_by_number as (
    select * from songs where song_no >= 0
),

related as (
    select
        numbers.*,
        songs_by_number.* exclude (song_no),
        pick(bits, 0, 100) < 5 as is_song,
        pick(bits, 0, 100) between 5 and 16 as shares_title,
        pick(bits, 0, 100) between 17 and 68 as shares_artist,
        -- text of this log was mostly, not always, encoded twice
        pick(bits, 8, 10) < 8 as is_garbled
    from numbers
    inner join songs_by_number on songs_by_number.song_no = pick(bits, 12, at_scale(14850, 700))
),

drawn as (
    select
        track_no,
        null as track_key,
        case
            when is_song or shares_title then if(is_garbled, garbled_title, title)
            when is_garbled then title_of(title_bits, getvariable('garbled_adjectives'), getvariable('garbled_nouns'))
            else title_of(title_bits, getvariable('adjectives'), getvariable('nouns'))
        end as song,
        case
            when is_song or shares_artist then if(is_garbled, garbled_artist_name, artist_name)
            when is_garbled then name_of(name_bits, getvariable('garbled_adjectives'), getvariable('garbled_nouns'))
            else name_of(name_bits, getvariable('adjectives'), getvariable('nouns'))
        end as artist,
        case
            -- another pressing of the same song: title and artist match, the length does not
            when is_song and pick(bits, 40, 25) = 0 then seconds((duration * 100000)::bigint + 300000)
            when is_song then duration
            else seconds(14000000 + pick(title_bits, 8, 10000000) + pick(name_bits, 8, 9000000))
        end as length
    from related
),

case_tracks as (
    select song_key as track_key, title as song, artist_name as artist, duration as length
    from songs
    where song_key is not null
    union all
    select song_key || ' garbled', garbled_title, garbled_artist_name, duration
    from songs
    where song_key is not null
    union all
    values
    ('told near', 'Twice Told', 'The Second Printing', 181.0), -- close to one of two durations
    ('told between', 'Twice Told', 'The Second Printing', 190.5), -- exactly between the two: the song_id decides
    ('twins between', 'Mirror Room', 'Gemini Hall', 280.125), -- the same between two artists
    ('tide longer', 'Tide Table', 'Mara Quillon', 251.0), -- no song has this length
    ('intro of another', 'Intro', 'Unsigned Unlimited', 70.09914), -- matches on the title alone
    ('volume 99', 'Volume 99', 'The Long Shelf', 222.27546), -- matches on the artist alone, with twelve songs
    ('unknown', 'A Song Nobody Has', 'Unsigned Unlimited', 199.99302),
    -- repaired, it still matches nothing
    ('lost garbled', garbled_text('Ósýnilegt Lag'), garbled_text('Þögn Í Firði'), 250.25261)
)

select track_no, track_key, song, artist, length from drawn
union all
select -row_number() over (order by track_key), track_key, song, artist, length from case_tracks;

create table case_event (
    session_id integer, item_in_session integer, user_no integer, happened_at timestamp, page varchar, level varchar,
    track_key varchar
);

insert into case_event values
(1, 0, 2, '2018-11-05 09:00:00', 'Home', 'paid', null),
(1, 1, 2, '2018-11-05 09:00:10', 'NextSong', 'paid', 'moon garbled'),
(1, 2, 2, '2018-11-05 09:03:44', 'NextSong', 'paid', 'told near'),
(1, 3, 2, '2018-11-05 09:06:45', 'Downgrade', 'paid', null),
(1, 4, 2, '2018-11-05 09:07:00', 'Submit Downgrade', 'paid', null),
(1, 5, 2, '2018-11-05 09:07:00', 'Home', 'free', null), -- in the millisecond of the last one: the later item decides
(1, 6, 2, '2018-11-05 09:07:20', 'NextSong', 'free', 'quay'),
(1, 7, 2, '2018-11-05 09:10:41', 'Upgrade', 'free', null),
(1, 8, 2, '2018-11-05 09:10:50', 'Submit Upgrade', 'free', null),
(1, 9, 2, '2018-11-05 09:10:55', 'NextSong', 'paid', 'cafe'),
(1, 10, 2, '2018-11-05 09:13:30', 'Logout', 'paid', null),
(1, 11, null, '2018-11-05 09:13:31', 'Home', 'paid', null),
(2, 0, 3, '2018-11-14 23:51:00', 'NextSong', 'free', 'tide'),
(2, 1, 3, '2018-11-14 23:54:53', 'NextSong', 'free', 'told between'),
(2, 2, 3, '2018-11-14 23:58:03', 'Submit Upgrade', 'free', null),
(2, 3, 3, '2018-11-14 23:59:59', 'NextSong', 'paid', 'moon'),
(2, 4, 3, '2018-11-15 00:03:33', 'NextSong', 'paid', 'train'),
(2, 5, 3, '2018-11-15 00:07:36', 'NextSong', 'paid', 'tram'),
(3, 0, 4, '2018-11-08 18:30:00', 'Home', 'free', null),
(3, 1, 4, '2018-11-08 18:30:40', 'Help', 'free', null),
(4, 0, 5, '2018-11-09 12:00:00', 'NextSong', 'free', 'moon'),
(4, 1, 5, '2018-11-09 12:03:34', 'NextSong', 'free', 'bird garbled'),
(4, 2, 5, '2018-11-09 12:06:41', 'NextSong', 'free', 'open'),
(4, 3, 5, '2018-11-09 12:10:00', 'NextSong', 'free', 'lost garbled'),
(5, 0, 6, '2018-11-09 12:00:00', 'NextSong', 'free', 'moon garbled'), -- two users of one name play in one millisecond
(5, 1, 6, '2018-11-09 12:03:34', 'NextSong', 'free', 'light'),
(5, 2, 6, '2018-11-09 12:08:39', 'NextSong', 'free', 'moon garbled'), -- the same song once more
(6, 0, 7, '2018-11-20 20:00:00', 'NextSong', 'paid', 'volume 99'),
(6, 1, 7, '2018-11-20 20:03:42', 'NextSong', 'paid', 'intro of another'),
(6, 2, 7, '2018-11-20 20:04:52', 'Settings', 'paid', null),
(6, 3, 7, '2018-11-20 20:05:10', 'NextSong', 'paid', 'tide longer'),
(6, 4, 7, '2018-11-20 20:09:21', 'NextSong', 'paid', 'twins between'),
(6, 5, 7, '2018-11-20 20:14:01', 'NextSong', 'paid', 'unknown'),
(7, 0, 7, '2018-11-20 20:03:42', 'NextSong', 'paid', 'told'), -- another session of user 7, in the same millisecond
(8, 0, 2, '2018-11-01 00:00:00', 'NextSong', 'paid', 'twins'), -- the first second of the first day
(9, 0, 3, '2018-11-30 23:59:59', 'NextSong', 'paid', 'bird'), -- the last second of the last day
(10, 0, null, '2018-11-11 07:00:00', 'Home', 'free', null), -- a session that nobody logged in to
(10, 1, null, '2018-11-11 07:00:09', 'Login', 'free', null);

create table page as
select * from (
    values
    -- draws from this number on, of 10,000, ask for this page
    (true, 0, 'NextSong', 'PUT', 200),
    (true, 8760, 'Home', 'GET', 200),
    (true, 9576, 'Logout', 'PUT', 307),
    (true, 9692, 'Downgrade', 'GET', 200),
    (true, 9769, 'Settings', 'GET', 200),
    (true, 9841, 'Help', 'GET', 200),
    (true, 9890, 'About', 'GET', 200),
    (true, 9918, 'Upgrade', 'GET', 200),
    (true, 9945, 'Save Settings', 'PUT', 307),
    (true, 9958, 'Error', 'GET', 404),
    (true, 9970, 'Submit Upgrade', 'PUT', 307),
    (true, 9985, 'Submit Downgrade', 'PUT', 307),
    (false, 0, 'Home', 'GET', 200),
    (false, 6000, 'Login', 'PUT', 307),
    (false, 9200, 'About', 'GET', 200),
    (false, 9690, 'Help', 'GET', 200)
) as p (is_logged_in, first_draw, page, method, status);

create table event as
with

listeners as (select * from listener),

tracks as (select * from track),

pages as (select * from page),

case_events as (select * from case_event),

numbers as (
    select
        i as session_id,
        draw('session', i) as bits
    from range(20, 20 + at_scale(1010, 46)) as r(i)
),

-- Many sessions have one event, few have fifty; few users have many sessions.
sessions as (
    select
        session_id,
        bits,
        (8 + floor((at_scale(97, 14) - 6) * fraction(bits, 0) * fraction(bits, 0)))::integer as user_no,
        pick(bits, 16, 100) < 3 as is_anonymous,
        if(pick(bits, 16, 100) between 3 and 15, 1 + pick(bits, 24, 2), 0) as items_after_logout,
        1 + floor(53 * cube * cube)::integer as items
    from (select *, fraction(bits, 30) * fraction(bits, 30) * fraction(bits, 30) as cube from numbers)
),

items as (
    select
        session_id,
        user_no,
        bits as session_bits,
        item_in_session,
        not is_anonymous and item_in_session < items as is_logged_in,
        draw('event', concat(session_id, '/', item_in_session)) as bits
    from sessions, unnest(range(if(is_anonymous, least(items, 2), items + items_after_logout))) as r(item_in_session)
),

asked as (
    select
        items.*,
        pages.page,
        -- few songs are played by many
        if(
            page = 'NextSong', floor(at_scale(5200, 250) * fraction(bits, 16) * fraction(bits, 16))::bigint, null
        ) as track_no
    from items
    asof join pages on items.is_logged_in = pages.is_logged_in and pick(items.bits, 0, 10000) >= pages.first_draw
),

-- A song takes its length, another page a moment, and once in a while less than the clock can tell.
lasting as (
    select
        asked.*,
        coalesce(
            floor(tracks.length)::bigint, if(pick(asked.bits, 36, 40) = 0, 0, 1 + pick(asked.bits, 40, 90))
        ) as lasts_seconds
    from asked
    left join tracks on tracks.track_no = asked.track_no
),

timed as (
    select
        * exclude (lasts_seconds),
        sum(lasts_seconds) over (partition by session_id order by item_in_session) - lasts_seconds
            as seconds_into_session,
        sum(lasts_seconds) over (partition by session_id) as session_seconds
    from lasting
),

-- Thursday 1 November is day 0. Working days are busier; no session runs past the month's end.
placed as (
    select
        *,
        1541030400796 + 1000 * (
            least(
                86400 * word([0, 0, 0, 1, 1, 1, 2, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6], pick(session_bits, 8, 17))
                + 7 * 86400 * pick(session_bits, 40, 4)
                + if(pick(session_bits, 44, 12) = 0, 2 * 86400, 0)
                + pick(session_bits, 20, 86400),
                30 * 86400 - 1 - session_seconds
            ) + seconds_into_session
        )::bigint as ts
    from timed
),

-- 8 % of the users change their level in the middle of their longest session.
ranked as (
    select
        user_no,
        ts,
        row_number() over (partition by user_no order by length_of_session desc, session_id, item_in_session) as rank,
        length_of_session
    from (
        select *, count(*) over (partition by session_id) as length_of_session from placed where is_logged_in
    )
    where pick(draw('change of level', user_no), 0, 100) < 8
),

changes as (
    select user_no, ts as changed_at from ranked where rank = 1 + length_of_session // 2
),

drawn as (
    select
        session_id,
        item_in_session,
        if(is_logged_in, user_no, null) as user_no,
        ts,
        page,
        if((level = 'paid') = (changed_at is null or ts < changed_at), 'paid', 'free') as level,
        track_no
    from placed
    inner join listeners using (user_no)
    left join changes using (user_no)
),

scripted as (
    select
        session_id,
        item_in_session,
        user_no,
        epoch_ms(happened_at) + 796 as ts,
        page,
        level,
        track_no
    from case_events
    left join tracks using (track_key)
)

select *, 1 + (ts - 1541030400000) // 86400000 as day
from (select * from drawn union all select * from scripted)
order by ts, session_id, item_in_session;

create view event_line as
select
    event.day,
    event.ts,
    event.session_id,
    event.item_in_session,
    '{"artist":' || coalesce(quoted(track.artist), 'null')
    || ',"auth":' || if(event.user_no is null, '"Logged Out"', '"Logged In"')
    || ',"firstName":' || coalesce(quoted(listener.first_name), 'null')
    || ',"gender":' || coalesce(quoted(listener.gender), 'null')
    || ',"itemInSession":' || event.item_in_session
    || ',"lastName":' || coalesce(quoted(listener.last_name), 'null')
    || ',"length":' || coalesce(track.length::varchar, 'null')
    || ',"level":' || quoted(event.level)
    || ',"location":' || coalesce(quoted(listener.location), 'null')
    || ',"method":' || quoted(page.method)
    || ',"page":' || quoted(event.page)
    || ',"registration":' || coalesce(listener.registration || '.0', 'null')
    || ',"sessionId":' || event.session_id
    || ',"song":' || coalesce(quoted(track.song), 'null')
    || ',"status":' || page.status
    || ',"ts":' || event.ts
    || ',"userAgent":' || coalesce(quoted(listener.user_agent), 'null')
    || ',"userId":' || quoted(coalesce(event.user_no::varchar, '')) || '}' as line
from event
inner join page on page.page = event.page and page.is_logged_in = (event.user_no is not null)
left join track on track.track_no = event.track_no
left join listener on listener.user_no = event.user_no;
