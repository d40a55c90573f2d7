-- for the tests: what they compare the models with, worked out of the raw records and without the models
with {{ records_in_landing() }},

{{ decided_in_landing() }}

select * from decided
