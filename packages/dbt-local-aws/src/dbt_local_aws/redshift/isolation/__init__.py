"""What a transaction sees of the others, and when it sees it.

A transaction runs in PostgreSQL's REPEATABLE READ. Its snapshot is taken by the first statement that PostgreSQL takes
one for, which LOCK and SET are not, as on Redshift: https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html.
Two things would take it too early, or freeze what Redshift does not: what the endpoint itself asks of the catalogue,
and the client's own queries of it ("PG-prefix catalog tables don't support SNAPSHOT isolation"). Both are asked aside,
on a second connection, for as long as the transaction has no definitions of its own that only its own connection sees.
"""
