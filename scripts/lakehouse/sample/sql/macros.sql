-- What the other files are written in. Reads the variables `seed` and `scale`.

-- 64 random bits for a key, the same on every machine, with any number of threads and in any version of the engine
-- (which is why this is md5 and neither random() nor hash()). One draw serves several choices: each takes its own
-- bits.
create macro draw(label, key) as md5_number_lower(concat_ws('/', getvariable('seed'), label, key));

-- A number from 0 to n - 1 out of a draw, from the bits that begin at `first_bit`.
create macro pick(bits, first_bit, n) as ((bits >> first_bit) % n)::bigint;

-- A fraction from 0 to 1 (65,536 steps). Squared or cubed it leans to 0: few users play much, few songs are played
-- much.
create macro fraction(bits, first_bit) as pick(bits, first_bit, 65536) / 65536.0::double;

-- How many of something there are at this scale, and never fewer than the smallest sample needs to show every case.
create macro at_scale(n, least) as greatest(least, round(n * getvariable('scale')))::bigint;

create macro word(words, n) as words[(1 + n % len(words))::integer];

-- Text as it stands between the quotes of a JSON string in the raw data: pure ASCII, `\/` for a slash.
create macro json_text(words) as array_to_string(
    list_transform(
        regexp_extract_all(words, '(?s).'),
        lambda letter: case
            when letter in ('"', '\', '/') then '\' || letter
            when letter = chr(9) then '\t'
            when ord(letter) between 32 and 126 then letter
            else '\u' || lpad(lower(to_hex(ord(letter))), 4, '0')
        end
    ),
    ''
);

-- UTF-8 read as Latin-1: every byte becomes a character.
create macro misread(words) as array_to_string(
    list_transform(regexp_extract_all(hex(encode(words)), '..'), lambda byte: chr(('0x' || byte)::integer)),
    ''
);

-- The same text after it was encoded once too often, twice.
create macro garbled_text(words) as json_text(misread(misread(words)));

create macro quoted(escaped) as '"' || escaped || '"';

-- A number as the JSON writers of the raw data print one: 214.33424, 180.5, 1540919166796.0.
create macro seconds(hundred_thousandths) as hundred_thousandths / 100000.0::double;
