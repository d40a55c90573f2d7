-- In how many of the rows that changed each column did, by its place, from 1.
with places as (

    select
        of_base,
        of_head,
        unnest(range(1, len(of_base) + 1)) as place
    from changed_rows
    where kind = 'changed'

),

counted as (

    select
        place,
        count(*) as row_count
    from places
    where of_base[place] is distinct from of_head[place]
    group by place

)

select * from counted
