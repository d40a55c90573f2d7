-- The song catalogue: invented songs whose numbers grow with the scale, and a few songs that are the same at every
-- scale because each of them is a case that has broken somebody's pipeline. Texts are JSON text from here on (see
-- vocabulary.sql).

create table case_song (
    song_key varchar, artist_key varchar, title varchar, artist_name varchar, name_is_number boolean, location varchar,
    latitude double, longitude double, duration double, year integer
);

insert into case_song values
-- Played with garbled text, clean here: the repair gives these matches.
('moon', 'nuits', 'Où dort la lune', 'Les Nuits Étroites', false, 'Saint-Évian, France', 48.11, 2.35, 214.33424, 2004),
('bird', 'fugl', 'Gråspurv', 'Søvnløs Kør', false, 'Århavn, Danmark', 56.15, 10.2, 187.03628, 0),
-- Played with clean text that is not ASCII: a repair must leave it alone. The Latin-1 bytes of CAFÉ® are even valid
-- UTF-8.
('quay', 'cais', 'CANÇÃO DO CAIS', 'IRMÃOS DO RIO', false, '', null, null, 201.11628, 1999),
('cafe', 'cafe', 'Last Order', 'CAFÉ®', false, '', null, null, 155.48036, 2008),
('train', 'lamp', '夜汽車の窓', '灯台守', false, 'Kitamori, 日本', 35.1, 139.2, 243.9571, 2009),
('tram', 'berth', 'Полночный трамвай', 'Тихий причал', false, '', null, null, 222.9024, 1987),
('light', 'light', 'ضوء القمر', 'نهر الليل', false, '', null, null, 305.162, 2001),
-- Names and places that are JSON numbers.
('open', '411', 'Hold The Line Open', '411', true, '', null, null, 198.21669, 1996),
('calls', '411', 'Unknown Caller', '411', true, '', null, null, 178.99057, 1998),
('year', '2084', 'Forecast', '2084', true, 'Riverside', null, null, 251.29751, 0),
('unit', 'block', 'Stairwell', 'Tower Block Choir', false, '27', null, null, 263.83628, 2006),
('floor', 'block', 'Fire Door', 'Tower Block Choir', false, '108', 1.25, 103.75, 190.82404, 2006),
-- The same title and artist name twice with different durations, by one artist and by two artists of one name.
('told', 'press', 'Twice Told', 'The Second Printing', false, '', null, null, 180.5, 2002),
('told again', 'press', 'Twice Told', 'The Second Printing', false, '', null, null, 200.5, 2007),
('twins', 'twin 1', 'Mirror Room', 'Gemini Hall', false, 'Bellmoor, IL', 41.5, -88.0, 240.0, 1975),
('twins too', 'twin 2', 'Mirror Room', 'Gemini Hall', false, 'Dunlow, Scotland', null, null, 320.25, 2010),
-- A title of many artists, and an artist of many songs below.
('intro 1', 'nuits', 'Intro', 'Les Nuits Étroites', false, 'Saint-Évian, France', 48.11, 2.35, 41.32526, 2004),
('intro 2', 'press', 'Intro', 'The Second Printing', false, '', null, null, 63.18975, 2002),
('intro 3', 'block', 'Intro', 'Tower Block Choir', false, '27', null, null, 29.57016, 2006),
('intro 4', 'lamp', 'Intro', '灯台守', false, 'Kitamori, 日本', 35.1, 139.2, 55.19628, 0),
-- One artist under several names, places and coordinates.
('tide', 'mara', 'Tide Table', 'Mara Quillon', false, 'Port Linden, CA', 36.5, -121.5, 233.40363, 1994),
('ebb', 'mara', 'Ebb', 'Mara Quillon & The Tides', false, 'Port Linden', 36.51, -121.52, 219.42812, 1997),
('flood', 'mara', 'Flood Warning', 'Mara Quillon', false, '', null, null, 276.11383, 0),
-- Control characters, HTML and a very long value.
('quote', 'odd', 'Don' || chr(25) || 't Blink', 'Typeset', false, '', null, null, 203.10159, 0),
('marker', 'odd', chr(1) || 'Head ' || chr(28) || 'Row' || chr(29), 'Typeset', false, '', null, null, 121.96526, 2000),
('tab', 'odd', 'Left' || chr(9) || 'Right', 'Typeset', false, '', null, null, 133.69424, 2000),
(
    'html', 'markup', 'Anchor Text', 'Broken Markup', false,
    '<a href="http://example.com/band" onmousedown=''go($(this), "7f3a")'' rel="nofollow">http://example.com</a>',
    null, null, 244.4273, 2005
),
(
    'long', 'suite',
    'Suite For A Very Small Orchestra And One Patient Page-Turner: I. The Piano Is Late, II. Nobody Has The Key, III. '
    || 'The Caretaker''s Waltz, IV. We Begin Anyway (First Rehearsal)',
    'The Very Small Orchestra', false, '', null, null, 2709.13741, 1961
);

insert into case_song
select
    'shelf ' || i, 'shelf', 'Volume ' || i, 'The Long Shelf', false, 'Old Wharf / Docklands', null, null,
    seconds(15000000 + i * 1234567), 1990 + i
from range(1, 13) as r(i);

-- A slot may stay without a song: as many slots as songs leave about 63 % of them with one, which is the ratio of the
-- real data.
create table artist as
with

slots as (
    select
        i as artist_no,
        draw('artist', i) as bits,
        -- now and then an artist has the name of another one
        draw('artist name', if(i % 150 = 1, i - 1, i)) as name_bits
    from range(at_scale(14850, 700)) as r(i)
)

select
    artist_no,
    'AR' || upper(substr(md5(concat_ws('/', getvariable('seed'), 'artist', artist_no)), 1, 16)) as artist_id,
    name_of(name_bits, getvariable('adjectives'), getvariable('nouns')) as artist_name,
    name_of(name_bits, getvariable('garbled_adjectives'), getvariable('garbled_nouns')) as garbled_artist_name,
    if(pick(bits, 0, 100) < 45, '', word(getvariable('artist_places'), pick(bits, 8, 4096))) as location,
    if(pick(bits, 20, 100) < 65, null, (pick(bits, 28, 12000) - 4500) / 100.0::double) as latitude,
    if(pick(bits, 20, 100) < 65, null, (pick(bits, 42, 36000) - 18000) / 100.0::double) as longitude
from slots;

create table song as
with

case_songs as (select * from case_song),

artists as (select * from artist),

slots as (
    select
        i as song_no,
        draw('song', i) as bits,
        draw('song title', i) as title_bits,
        if(pick(draw('song', i), 0, 100) < 2, ' feat. ' || word(getvariable('first_names'), i), '') as guest
    from range(at_scale(14850, 700)) as r(i)
),

-- The catalogue knows some artists under more than one name, place or coordinate: 6 % of the songs say something of
-- their own.
invented as (
    select
        slots.song_no,
        null as song_key,
        artists.artist_id,
        title_of(title_bits, getvariable('adjectives'), getvariable('nouns')) as title,
        title_of(title_bits, getvariable('garbled_adjectives'), getvariable('garbled_nouns')) as garbled_title,
        artists.artist_name || guest as artist_name,
        artists.garbled_artist_name || guest as garbled_artist_name,
        false as name_is_number,
        quoted(if(pick(slots.bits, 0, 100) between 2 and 3, '', artists.location)) as location,
        if(pick(slots.bits, 0, 100) between 4 and 5, null, artists.latitude) as latitude,
        if(pick(slots.bits, 0, 100) between 4 and 5, null, artists.longitude) as longitude,
        seconds(case pick(slots.bits, 8, 50)
            when 0 then 637342 + pick(slots.bits, 16, 6000000)
            when 1 then 45000000 + pick(slots.bits, 16, 220000000)
            else 12000000 + pick(slots.bits, 16, 14000000) + pick(slots.bits, 40, 10000000)
        end) as duration,
        if(
            pick(slots.bits, 30, 100) < 32, 0, 2010 - floor(83 * fraction(slots.bits, 44) * fraction(slots.bits, 44))
        )::integer as year
    from slots
    inner join artists on artists.artist_no = pick(slots.bits, 14, at_scale(14850, 700))
),

cases as (
    select
        -row_number() over (order by song_key) as song_no,
        song_key,
        'AR' || upper(substr(md5('case artist/' || artist_key), 1, 16)) as artist_id,
        json_text(title) as title,
        garbled_text(title) as garbled_title,
        json_text(artist_name) as artist_name,
        garbled_text(artist_name) as garbled_artist_name,
        name_is_number,
        if(regexp_full_match(location, '\d+'), location, quoted(json_text(location))) as location,
        latitude,
        longitude,
        duration,
        year
    from case_songs
)

select
    *,
    'SO' || upper(substr(md5(concat_ws('/', getvariable('seed'), 'song', song_no)), 1, 16)) as song_id
from (select * from invented union all select * from cases)
order by song_id;

-- How the songs arrive: most in one file, some as a file each, and some of these a second time. The cases are among
-- the repeated.
create table song_file as
with

songs as (select song_no from song),

counts as (select least(2000, at_scale(300, 40)) as files, at_scale(14850, 700) as invented)

select
    song_no,
    song_no < files // 2 as also_in_lines,
    substr(hash, 1, 7) || '128F' || substr(hash, 8, 7) as letters
from (
    select
        *,
        translate(upper(md5(concat_ws('/', getvariable('seed'), 'track', song_no))), '0123456789', 'GHIJKLMNOP') as hash
    from songs, counts
    -- the last half of the files' songs arrive in no other way
    where song_no < files // 2 or song_no >= invented - files // 2
)
order by song_no;

create view song_line as
select
    song_no,
    song_id,
    '{"artist_id":"' || artist_id
    || '","artist_latitude":' || coalesce(latitude::varchar, 'null')
    || ',"artist_location":' || location
    || ',"artist_longitude":' || coalesce(longitude::varchar, 'null')
    || ',"artist_name":' || if(name_is_number, artist_name, quoted(artist_name))
    || ',"duration":' || duration::varchar
    || ',"num_songs":1,"song_id":"' || song_id
    || '","title":"' || title
    || '","year":' || year || '}' as line
from song;
