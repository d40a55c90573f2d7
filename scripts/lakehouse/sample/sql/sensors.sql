-- STEDI: people, the records the website keeps of them, and thirty readings of each. A person is described by
-- columns; the people with small numbers have columns of their own choosing, because each is a case, and all go
-- through the same rules after that.

create table case_person (
    person_no integer, first_name varchar, last_name varchar, birth_year integer,
    serial_of integer, -- whose serial number it is, when not one's own
    starts_after_ms integer, step_ms integer, -- the readings: 30 of them, step_ms apart
    is_customer boolean, has_accelerometer boolean
);

insert into case_person values
(1, 'Agnes', 'Withdrawn', 1950, 1, 0, 2000, true, true),
(2, 'Boris', 'Newlygiven', 1961, 2, 1000, 2500, true, true),
(3, 'Carla', 'Undecided', 1944, 3, 2000, 3000, true, true),
-- one serial number, both consent; their last and first reading fall into one millisecond
(4, 'Dora', 'Sharing', 1933, 4, 10000, 2000, true, true),
(5, 'Edwin', 'Sharing', 1929, 4, 68000, 3000, true, true),
-- one serial number, the second does not consent; again they meet in one millisecond
(6, 'Fritz', 'Halfway', 1911, 6, 20000, 2000, true, true),
(7, 'Gerda', 'Halfway', 1907, 6, 78000, 3000, true, true),
-- one serial number, the second has no accelerometer: nothing tells whose the second's step readings are
(8, 'Horst', 'Silent', 1899, 8, 30000, 2000, true, true),
(9, 'Ilse', 'Silent', 1888, 8, 97000, 3000, true, false),
-- a new trainer, and with it a new serial number, in the middle of the readings
(10, 'Jorge', 'Renewed', 1964, 10, 12345, 4000, true, true),
-- consents, but no accelerometer reading ever came
(11, 'Klara', 'Unread', 999, 11, 23456, 3500, true, false),
-- readings of an e-mail that is no customer's and of a serial number that nobody owns
(12, 'Lothar', 'Nobody', 967, 12, 0, 2000, false, true),
-- consents after registration, in the very millisecond of a reading
(13, 'Maria', 'Later', 967, 13, 40000, 2000, true, true),
-- two who step on together all the way, one of whom took the other's trainer over later: both are its owners
(14, 'Nestor', 'Inseparable', 1001, 14, 50000, 2200, true, true),
(15, 'Olga', 'Inseparable', 1002, 15, 50000, 2200, true, true),
-- a record that was delivered twice
(16, 'Pablo', 'Repeated', 1003, 16, 60000, 2400, true, true);

create table person as
with

case_people as (select * from case_person),

counts as (
    select
        len(getvariable('first_names')) as first_names,
        len(getvariable('last_names')) as last_names
),

numbers as (
    select
        i::integer as person_no,
        draw('person', i) as bits,
        -- every twelfth steps on in the same millisecond as the one before, with the same device: shared milliseconds
        draw('readings', if(i % 12 = 0 and i > 20, i - 1, i)) as readings_bits
    from range(17, 1 + at_scale(950, 60)) as r(i)
),

drawn as (
    select
        person_no,
        -- each full name once, then again with a number
        word(getvariable('first_names'), person_no) as first_name,
        word(getvariable('last_names'), person_no // first_names + person_no % first_names) as last_name,
        if(person_no < first_names * last_names, '', (person_no // (first_names * last_names))::varchar)
            as name_suffix,
        967 + pick(bits, 0, 998) as birth_year,
        -- 1 % have the serial number of the person before
        if(person_no % 100 = 50, person_no - 1, person_no) as serial_of,
        pick(readings_bits, 0, at_scale(2500000, 150000)) as starts_after_ms,
        1300 + pick(readings_bits, 36, 6700) as step_ms,
        true as is_customer,
        true as has_accelerometer,
        bits
    from numbers, counts
),

people as (
    select *, '' as name_suffix, draw('person', person_no) as bits from case_people
    union all by name
    select * from drawn
),

-- Whoever registers has been stepping for a while.
placed as (
    select
        *,
        1655562000000 + starts_after_ms::bigint as first_reading,
        1655562000000 + starts_after_ms::bigint + step_ms * pick(bits, 12, 12) + pick(bits, 16, step_ms) as registered
    from people
),

serials as (
    select
        person_no as serial_no,
        md5(concat_ws('/', getvariable('seed'), 'serial', person_no)) as hash
    from people
)

select
    placed.person_no,
    placed.first_name || ' ' || placed.last_name as customer_name,
    placed.first_name || '.' || placed.last_name || placed.name_suffix || '@example.com' as email,
    '5550100' || lpad(((placed.person_no * 37) % 1000)::varchar, 3, '0') as phone,
    placed.birth_year || '-01-01' as birth_day,
    concat_ws('-', hash[1:8], hash[9:12], hash[13:16], hash[17:20], hash[21:32]) as serial_number,
    placed.first_reading,
    placed.step_ms,
    placed.registered,
    placed.is_customer,
    placed.has_accelerometer,
    placed.bits
from placed
inner join serials on serials.serial_no = placed.serial_of
order by person_no;

-- The serial number of a person's second trainer, in the same form.
create macro new_serial(serial_number) as 'f00d' || substr(serial_number, 5);

-- What the website keeps: a record when somebody registers, and another one at each change. Null where nothing is
-- shared.
create table customer_record (
    person_no integer, extract_no integer, serial_number varchar, registration_date bigint, last_update_date bigint,
    research bigint, public bigint, friends bigint
);

-- Half of the people share with research, 2.5 % of these only some time after they registered.
insert into customer_record
with

people as (select * from person),

decided as (
    select
        *,
        case
            when person_no = 13 then first_reading + 10 * step_ms
            when person_no > 16 and pick(bits, 30, 40) = 0 then registered + 1000 + pick(bits, 34, 90000)
            else registered
        end as updated,
        case
            when person_no <= 16 then person_no not in (2, 7, 12)
            else pick(bits, 40, 100) < 51
        end as shares_with_research
    from people
    where is_customer
)

select
    person_no,
    1,
    serial_number,
    if(person_no = 13, first_reading, registered),
    updated,
    if(shares_with_research, updated, null),
    if(pick(bits, 48, 100) < 51, updated, null),
    if(pick(bits, 54, 100) < 53, updated, null)
from decided
order by person_no;

-- The second extract: later records. The cases first, then 3 % of everybody: one third withdraws, one third consents,
-- one third moves.
insert into customer_record
with

first_records as (select * from customer_record),

people as (select * from person),

changes as (
    select
        first_records.*,
        people.first_reading,
        people.step_ms,
        people.bits,
        case
            when person_no = 1 then 'withdraws'
            when person_no = 2 then 'consents'
            when person_no = 3 then 'contradicts'
            when person_no = 10 then 'renews'
            when person_no = 15 then 'takes over'
            when person_no = 16 then 'repeats'
            else word(['withdraws', 'consents', 'moves'], person_no)
        end as change
    from first_records
    inner join people using (person_no)
    where person_no in (1, 2, 3, 10, 15, 16) or (person_no > 16 and pick(people.bits, 2, 32) = 0)
),

dated as (
    select
        *,
        case
            -- in the same millisecond, one record with and one without consent
            when change in ('contradicts', 'repeats') then last_update_date
            when change = 'renews' then greatest(last_update_date, first_reading + 15 * step_ms)
            else last_update_date + 5000 + pick(bits, 20, 60000)
        end as updated
    from changes
)

select
    person_no,
    2,
    case change
        -- of a person, a new trainer; of two, the trainer of the other
        when 'renews' then new_serial(serial_number)
        when 'takes over' then (select serial_number from people where person_no = 14)
        else serial_number
    end,
    registration_date,
    updated,
    case change
        when 'withdraws' then null
        when 'contradicts' then null
        when 'consents' then coalesce(research, updated)
        else research
    end,
    public,
    friends
from dated
order by person_no;

create view customer_line as
select
    customer_record.extract_no,
    customer_record.person_no,
    '{"customerName": "' || person.customer_name
    || '", "email": "' || person.email
    || '", "phone": "' || person.phone
    || '", "birthDay": "' || person.birth_day
    || '", "serialNumber": "' || customer_record.serial_number
    || '", "registrationDate": ' || customer_record.registration_date
    || ', "lastUpdateDate": ' || customer_record.last_update_date
    || coalesce(', "shareWithResearchAsOfDate": ' || customer_record.research, '')
    || coalesce(', "shareWithPublicAsOfDate": ' || customer_record.public, '')
    || coalesce(', "shareWithFriendsAsOfDate": ' || customer_record.friends, '') || '}' as line
from customer_record
inner join person using (person_no);

-- Thirty readings of everybody, worked out anew for each file: nothing as long as the data itself is ever held.
create view reading as
select
    person.person_no,
    r.reading_no,
    person.email,
    person.has_accelerometer,
    if(person.person_no = 10 and r.reading_no >= 15, new_serial(serial_number), serial_number) as serial_number,
    person.first_reading + r.reading_no * person.step_ms as reading_time,
    person.step_ms
from person, range(30) as r(reading_no);

create view step_trainer_line as
select
    person_no,
    reading_no,
    -- The remainder keeps two people on one trainer apart when they step in the same millisecond.
    '{"sensorReadingTime":' || reading_time
    || ',"serialNumber":"' || serial_number
    || '","distanceFromObject":' || 201 + 4 * pick(draw('step', person_no * 30 + reading_no), 0, 25) + person_no % 4
    || '}' as line
from reading;

-- The ways in which up to three rows of one reading can look. 18 combinations of x, y and z are taken in strides that
-- share no factor with 18, so that the rows of a reading differ.
create table acceleration as
select
    way,
    row_no,
    ',"x":' || combination % 3 - 1
    || '.0,"y":' || combination // 3 % 3 - 1
    || '.0,"z":' || combination // 9 - 1 || '.0}' as line_end
from (
    select
        way,
        row_no,
        (way % 18 + row_no * word([1, 5, 7, 11, 13, 17], way // 18)) % 18 as combination
    from range(18 * 6) as w(way), range(3) as r(row_no)
);

-- 84 % of the readings have three rows, nearly all others two.
create view accelerometer_line as
with

drawn as (
    select *, draw('acceleration', person_no * 30 + reading_no) as bits
    from reading
    where has_accelerometer
),

readings as (
    select
        person_no,
        reading_no,
        '{"user":"' || email || '","timestamp":' || reading_time as line_start,
        -- what the join needs in one number, so that the hash is worked out once a reading
        bits % 108000 as choice
    from drawn
)

select
    readings.person_no,
    readings.reading_no,
    acceleration.row_no,
    readings.line_start || acceleration.line_end as line
from readings
inner join acceleration
    on
        acceleration.way = (readings.choice % 108)::bigint
        and acceleration.row_no < if(readings.choice < 90400, 3, if(readings.choice < 107700, 2, 1));
