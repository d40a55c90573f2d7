-- The words of which names, titles and places are made. All of them are invented or plain dictionary words. Each list
-- comes in two forms: as it stands in JSON, and garbled (encoded twice). Both are pure ASCII, so that whatever is put
-- together from words is valid JSON text without another look at it.

create table vocabulary (kind varchar, words varchar[]);

insert into vocabulary values
('adjectives', [
    'Amber', 'Ancient', 'Blue', 'Borrowed', 'Bright', 'Broken', 'Careful', 'Cold', 'Copper', 'Crooked', 'Daily',
    'Distant', 'Double', 'Early', 'Electric', 'Empty', 'Even', 'Faded', 'Familiar', 'Final', 'First', 'Folded',
    'Foreign', 'Gentle', 'Golden', 'Half', 'Heavy', 'Hidden', 'Hollow', 'Honest', 'Idle', 'Inner', 'Iron', 'Last',
    'Late', 'Lazy', 'Little', 'Lonely', 'Long', 'Lost', 'Loud', 'Magnetic', 'Narrow', 'New', 'Northern', 'Open',
    'Paper', 'Patient', 'Plain', 'Quiet', 'Random', 'Restless', 'Salt', 'Second', 'Secret', 'Silver', 'Simple',
    'Slow', 'Small', 'Southern', 'Steady', 'Strange', 'Sunday', 'Tidal', 'Tiny', 'Velvet', 'Wandering', 'Warm',
    'Western', 'Wide', 'Größte', 'São', 'Тихий'
]),
('nouns', [
    'Airport', 'Alphabet', 'Anchor', 'Apartment', 'Archive', 'Avenue', 'Balcony', 'Ballroom', 'Bicycle', 'Border',
    'Bridge', 'Cabin', 'Calendar', 'Camera', 'Canal', 'Carousel', 'Cathedral', 'Circus', 'Clock', 'Coast', 'Compass',
    'Corridor', 'Curtain', 'Desert', 'Diary', 'Elevator', 'Engine', 'Ferry', 'Field', 'Forest', 'Fountain', 'Garden',
    'Glacier', 'Harbour', 'Highway', 'Horizon', 'Hotel', 'Island', 'January', 'Kitchen', 'Ladder', 'Lantern',
    'Letter', 'Library', 'Lighthouse', 'Machine', 'Map', 'Market', 'Meadow', 'Mirror', 'Monday', 'Museum', 'Needle',
    'Notebook', 'Ocean', 'Orchard', 'Parade', 'Pavement', 'Piano', 'Postcard', 'Quarry', 'Radio', 'Railway', 'River',
    'Rooftop', 'Sailor', 'Satellite', 'Shoreline', 'Signal', 'Staircase', 'Station', 'Summer', 'Telephone', 'Theatre',
    'Tunnel', 'Umbrella', 'Valley', 'Window', 'Winter', 'Workshop', 'Fenêtre', 'Øy'
]),
('verbs', [
    'Borrow', 'Build', 'Carry', 'Chase', 'Close', 'Count', 'Cross', 'Draw', 'Find', 'Fold', 'Follow', 'Forget',
    'Hold', 'Keep', 'Leave', 'Lose', 'Mend', 'Move', 'Paint', 'Remember', 'Sell', 'Send', 'Steal', 'Turn', 'Unlock',
    'Watch'
]),
('endings', [
    '', '', '', '', '', '', '', ' (Live)', ' (Album Version)', ' (Radio Edit)', ' (Instrumental)', ' Pt. II',
    ' / Reprise', ' "Demo"', ' feat. The Neighbours', ' [Remastered]'
]),
('first_names', [
    'Abel', 'Ada', 'Alma', 'Anton', 'Asha', 'Bea', 'Bruno', 'Cato', 'Celia', 'Clara', 'Dario', 'Dina', 'Edgar',
    'Elif', 'Emil', 'Esme', 'Fay', 'Felix', 'Flora', 'Gil', 'Greta', 'Hana', 'Hugo', 'Ida', 'Igor', 'Ines', 'Ivo',
    'Jonas', 'Juno', 'Kai', 'Karim', 'Kira', 'Lars', 'Lena', 'Leo', 'Lola', 'Luca', 'Mara', 'Mei', 'Milo', 'Mina',
    'Nadia', 'Nils', 'Noor', 'Odette', 'Olaf', 'Omar', 'Orla', 'Otis', 'Paz', 'Petra', 'Quinn', 'Rafa', 'Ravi',
    'Rosa', 'Runa', 'Sami', 'Selma', 'Sven', 'Tara', 'Theo', 'Tilda', 'Uma', 'Vera', 'Viktor', 'Wanda', 'Xenia',
    'Yara', 'Yusuf', 'Zeno', 'Zora'
]),
('last_names', [
    'Abara', 'Adler', 'Almeida', 'Archer', 'Baker', 'Barlow', 'Becker', 'Bell', 'Bianchi', 'Birch', 'Bloom', 'Bose',
    'Brandt', 'Byrne', 'Calder', 'Castell', 'Chandra', 'Cole', 'Conti', 'Crane', 'Dahl', 'Dane', 'Dorsey', 'Drake',
    'Ebner', 'Egan', 'Ekman', 'Falk', 'Farrow', 'Ferris', 'Finch', 'Frost', 'Gallo', 'Garner', 'Glass', 'Grant',
    'Gruber', 'Hale', 'Harlan', 'Hart', 'Haas', 'Holm', 'Ibarra', 'Ito', 'Jansen', 'Joshi', 'Kane', 'Keller', 'Kemp',
    'Kowal', 'Lane', 'Larkin', 'Lind', 'Lowe', 'Maier', 'Marsh', 'Mensah', 'Moreau', 'Nagy', 'Nash', 'Novak', 'Oakes',
    'Okoro', 'Olsen', 'Paley', 'Penn', 'Pires', 'Quist', 'Rane', 'Reyes', 'Ross', 'Sato', 'Sharp', 'Silva', 'Stone',
    'Thorne', 'Tran', 'Urban', 'Vance', 'Voss', 'Wells', 'West', 'Wolf', 'Yates', 'Yilmaz', 'Zeller'
]),
('artist_places', [
    'Eastmere, England', 'Port Linden, CA', 'New Halden, NY', 'Vila Clara, Brasil', 'Århavn, Danmark',
    'Saint-Évian, France', 'Kirchfeld, Deutschland', 'Marrow Creek, TX', 'Kitamori, 日本', 'Dunlow, Scotland',
    'Riverside', 'Puerto Nuevo', 'Lake Orrin, MN', 'Tallow Bay, Australia', 'Mossby, Sverige', 'Bellmoor, IL',
    'Castel Vento, Italia', 'Cedar Junction, TN', 'Old Wharf / Docklands'
]),
('user_places', [
    'Ashford-Milbrook, OH', 'Bayview-Carrow-Elgin, CA', 'Cedar Falls-Rowan, IA', 'Dunmore, PA',
    'Eastlake-North Pine, WA', 'Fairhaven-Tidewater, MA-RI', 'Glenrock-Harper, TX', 'Harlow Springs, CO',
    'Kingsbury-Lowell-Marsh, NY-NJ-PA', 'Larkspur, OR', 'Mapleton-Stowe, VT', 'Newgate-Orchard Park, GA',
    'Oakmont-Prairie View, IL-IN-WI', 'Pinecrest-Salt Lake, UT', 'Westport, ME'
]),
('user_agents', [
   
    '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0 Safari/537.36"',
    '"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.2 Safari/537.36"',
    '"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/37.0.2062.9 Safari/537.36"',
    '"Mozilla/5.0 (iPhone; CPU iPhone OS 7_1 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Mobile/11D2"',
    '"Mozilla/5.0 (iPad; CPU OS 7_1 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 Mobile/11D2"',
    'Mozilla/5.0 (Windows NT 6.1; rv:31.0) Gecko/20100101 Firefox/31.0',
    'Mozilla/5.0 (X11; Ubuntu; Linux i686; rv:31.0) Gecko/20100101 Firefox/31.0'
]);

create macro as_json(list_name) as (
    select list_transform(words, lambda w: json_text(w)) from vocabulary where kind = list_name
);
create macro as_garbled(list_name) as (
    select list_transform(words, lambda w: garbled_text(w)) from vocabulary where kind = list_name
);

set variable adjectives = as_json('adjectives');
set variable nouns = as_json('nouns');
set variable verbs = as_json('verbs');
set variable endings = as_json('endings');
set variable garbled_adjectives = as_garbled('adjectives');
set variable garbled_nouns = as_garbled('nouns');
set variable first_names = as_json('first_names');
set variable last_names = as_json('last_names');
set variable artist_places = as_json('artist_places');
set variable user_places = as_json('user_places');
set variable user_agents = as_json('user_agents');

create macro any_word(words, bits, first_bit) as word(words, pick(bits, first_bit, 4096));

-- One title or name from one draw. The word lists are arguments, so that one draw gives the clean and the garbled
-- form.
create macro title_of(bits, adjectives, nouns) as case pick(bits, 0, 5)
    when 0 then any_word(adjectives, bits, 4) || ' ' || any_word(nouns, bits, 16)
    when 1 then any_word(getvariable('verbs'), bits, 4) || ' The ' || any_word(nouns, bits, 16)
    when 2 then
        any_word(nouns, bits, 4) || ' Of The ' || any_word(adjectives, bits, 16) || ' ' || any_word(nouns, bits, 28)
    when 3 then
        any_word(getvariable('verbs'), bits, 4) || ' My '
        || any_word(adjectives, bits, 16) || ' ' || any_word(nouns, bits, 28)
    else
        any_word(adjectives, bits, 4) || ' ' || any_word(nouns, bits, 16) || ', '
        || any_word(adjectives, bits, 28) || ' ' || any_word(nouns, bits, 40)
end || any_word(getvariable('endings'), bits, 52);

create macro name_of(bits, adjectives, nouns) as case pick(bits, 0, 5)
    when 0 then 'The ' || any_word(adjectives, bits, 4) || ' ' || any_word(nouns, bits, 16) || 's'
    when 1 then any_word(getvariable('first_names'), bits, 4) || ' ' || any_word(getvariable('last_names'), bits, 16)
    when 2 then
        any_word(getvariable('first_names'), bits, 4) || ' & The '
        || any_word(adjectives, bits, 16) || ' ' || any_word(nouns, bits, 28) || 's'
    when 3 then any_word(adjectives, bits, 4) || ' ' || any_word(nouns, bits, 16) || ' ' || any_word(nouns, bits, 28)
    else
        any_word(getvariable('first_names'), bits, 4) || ' ' || chr((65 + pick(bits, 28, 26))::integer) || '. '
        || any_word(getvariable('last_names'), bits, 16)
end;
