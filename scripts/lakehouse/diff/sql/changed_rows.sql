-- Of the rows that differ, those that a key of the one side has in common with the other side are one row that changed. Rows of one
-- key are told apart by their order; without a key, nothing is a pair. `places` are those of the key's columns, from 1.
with keyed as (

    select
        side,
        row_values,
        if(len($key_places::bigint[]) = 0, [side], list_transform($key_places::bigint[], lambda place : row_values[place])) as key_values
    from differing_rows

),

numbered as (

    select
        *,
        row_number() over (partition by side, key_values order by row_values) as place
    from keyed

),

paired as (

    select
        one.row_values as of_base,
        other.row_values as of_head
    from (select * from numbered where side = 'one') as one
    full join (select * from numbered where side = 'other') as other
        on
            one.key_values = other.key_values
            and one.place = other.place

),

changed as (

    select
        case when of_base is null then 'added' when of_head is null then 'removed' else 'changed' end as kind,
        of_base,
        of_head
    from paired

)

select * from changed
