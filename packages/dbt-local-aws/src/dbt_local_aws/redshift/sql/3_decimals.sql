-- Quotients of decimals have the scale that r_numeric_computations201 says. The endpoint knows it from the analysed query and
-- writes `a / null::redshift_internal.scale_9 / b` for `a / b`: an operator of the same precedence for every scale, which the
-- planner replaces by its body. That further digits are cut off, as AVG cuts them off, is inferred: the page says nothing of it.

do $$
begin
    for scale in 4..38 loop
        execute format(
            $f$
                create type redshift_internal.scale_%1$s as (digits integer);
                create type redshift_internal.dividend_%1$s as (value numeric);
                create function redshift_internal.scaled(value numeric, scale redshift_internal.scale_%1$s)
                returns redshift_internal.dividend_%1$s language sql immutable as
                    $b$ select row(value)::redshift_internal.dividend_%1$s $b$;
                create function redshift_internal.quotient(dividend redshift_internal.dividend_%1$s, divisor numeric)
                returns numeric language sql immutable as
                    $b$ select trunc(round((dividend).value, 40) / divisor, %1$s) $b$;
                create operator pg_catalog./ (
                    function = redshift_internal.scaled, leftarg = numeric, rightarg = redshift_internal.scale_%1$s
                );
                create operator pg_catalog./ (
                    function = redshift_internal.quotient, leftarg = redshift_internal.dividend_%1$s, rightarg = numeric
                );
            $f$,
            scale
        );
    end loop;
end $$;

-- r_AVG: the scale of the argument. Further digits are cut off: in r_FROM_clause-pivot-unpivot-examples, the average of 2.50, 3.75
-- and 1.90 is 2.71. The function bears the name that its column has.
create function redshift_internal.avg(value numeric, digits integer) returns numeric language sql immutable as $$
    select trunc(value, digits)
$$;

-- The analysed query is read from the server's messages: they are for the session, and not for the server's log.
alter role all set log_min_messages = 'fatal';
