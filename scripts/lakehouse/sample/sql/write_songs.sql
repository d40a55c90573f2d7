-- The table is in the order of song_id already. Songs that arrive in a file of their own only are not among the
-- lines.
copy (
    select line from song_line
    where song_no < $first_in_files_only
) to $path (format csv, header false, quote '', escape '', delimiter e'\x01')
