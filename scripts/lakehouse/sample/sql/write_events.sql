copy (
    select line from event_line
    where day = $day
    order by ts, session_id, item_in_session
) to $path (format csv, header false, quote '', escape '', delimiter e'\x01')
