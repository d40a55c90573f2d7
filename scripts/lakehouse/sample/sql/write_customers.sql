copy (
    select line from customer_line
    where extract_no = $extract_no
    order by person_no
) to $path (format csv, header false, quote '', escape '', delimiter e'\x01')
