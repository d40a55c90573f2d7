"""What PostgreSQL would accept and Redshift does not: found in the tokens of a statement before it is rewritten."""
