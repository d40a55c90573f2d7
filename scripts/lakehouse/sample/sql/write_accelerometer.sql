-- A group of people goes to as many files as there are parts, a person's readings to each of them in turn.
copy (
    select line from accelerometer_line
    where
        person_no between $first_person and $last_person
        and (person_no + reading_no) % $parts = $part
    order by person_no, reading_no desc, row_no
) to $path (format csv, header false, quote '', escape '', delimiter e'\x01')
