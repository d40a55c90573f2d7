-- depends_on: {{ ref('machine_learning_curated', v=2) }}
with described as (
    {{ described_columns('machine_learning_curated', 2) }}

)

select * from described
