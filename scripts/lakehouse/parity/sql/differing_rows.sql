-- The rows that one dump has and the other has not, as often as it has them more often. A row is a list of its values as text.
-- Texts are compared letter by letter, numbers at the places $float_places (from 1) to within $tolerance of the larger one.
with sided as (

    select
        'one' as side,
        row_values
    from read_json($one, format = 'newline_delimited', records = false, columns = {row_values: 'varchar[]'})
    union all
    select
        'other' as side,
        row_values
    from read_json($other, format = 'newline_delimited', records = false, columns = {row_values: 'varchar[]'})

),

counted as (

    select
        row_values,
        count(*) filter (where side = 'one') - count(*) filter (where side = 'other') as surplus
    from sided
    group by row_values

),

unmatched as (

    -- what is the same to the letter has gone by now, so that the rest is small
    select
        unnest(range(abs(surplus))) as copy,
        if(surplus > 0, 'one', 'other') as side,
        row_values,
        [if(list_contains($float_places, place), null, row_values[place]) for place in range(1, len(row_values) + 1)]
            as exact_values,
        [row_values[place] for place in $float_places] as floats
    from counted
    where surplus <> 0

),

ranked as (

    select
        *,
        row_number() over (partition by side, exact_values order by floats::double[], row_values) as place
    from unmatched

),

paired as (

    select
        one.row_values as of_one,
        other.row_values as of_other,
        one.side is not null
        and other.side is not null
        and coalesce(list_bool_and([
            of_pair[1] is not distinct from of_pair[2]
            or coalesce(
                isfinite(of_pair[1]::double)
                and isfinite(of_pair[2]::double)
                and starts_with(of_pair[1], '-') = starts_with(of_pair[2], '-')
                and abs(of_pair[1]::double - of_pair[2]::double)
                <= $tolerance * greatest(abs(of_pair[1]::double), abs(of_pair[2]::double)),
                false
            )
            for of_pair in list_zip(one.floats, other.floats)
        ]), false) as is_near
    from (select * from ranked where side = 'one') as one
    full join (select * from ranked where side = 'other') as other
        on
            one.exact_values = other.exact_values
            and one.place = other.place

),

differing as (

    select
        'one' as side,
        of_one as row_values
    from paired
    where
        of_one is not null
        and not is_near
    union all
    select
        'other' as side,
        of_other as row_values
    from paired
    where
        of_other is not null
        and not is_near

)

select * from differing
