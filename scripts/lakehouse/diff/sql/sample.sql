-- A few rows of each kind, the first by their values: the same ones whenever it is asked.
with numbered as (

    select
        *,
        row_number() over (partition by kind order by coalesce(of_base, of_head), of_head) as place
    from changed_rows

),

first_ones as (

    select
        kind,
        of_base,
        of_head
    from numbered
    where place <= $most_rows
    order by
        kind,
        place

)

select * from first_ones
