-- "Significance of trailing blanks" (r_Character_types): blanks behind a VARCHAR do not count where it is compared. PostgreSQL
-- compares its blank-padded CHAR so, and stores it as it stores a text: the operators of texts get the functions of CHAR, and so
-- do the operator classes by which texts are sorted, grouped, joined and made unique. LIKE and LENGTH have functions of their own.

update pg_catalog.pg_operator as texts
set oprcode = padded.oprcode
from pg_catalog.pg_operator as padded
where
    texts.oprleft = 'text'::regtype
    and texts.oprright = 'text'::regtype
    and padded.oprleft = 'bpchar'::regtype
    and padded.oprright = 'bpchar'::regtype
    and texts.oprname = padded.oprname
    and texts.oprname in ('=', '<>', '<', '<=', '>', '>=');

update pg_catalog.pg_amproc
set amproc = case amproc
    when 'bttextcmp'::regproc then 'bpcharcmp'::regproc
    when 'bttextsortsupport'::regproc then 'bpchar_sortsupport'::regproc
    when 'hashtext'::regproc then 'hashbpchar'::regproc
    when 'hashtextextended'::regproc then 'hashbpcharextended'::regproc
end
where
    amproc in ('bttextcmp'::regproc, 'bttextsortsupport'::regproc, 'hashtext'::regproc, 'hashtextextended'::regproc)
    and amproclefttype = 'text'::regtype
    and amprocrighttype = 'text'::regtype
    -- not those of LIKE's indexes
    and amprocfamily in (select oid from pg_catalog.pg_opfamily where opfname = 'text_ops');
