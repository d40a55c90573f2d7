select
    song_file.letters,
    song_line.line
from song_file
inner join song_line using (song_no)
order by song_file.song_no
