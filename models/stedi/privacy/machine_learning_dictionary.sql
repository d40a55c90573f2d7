-- depends_on: {{ ref('machine_learning_curated', v=2) }}, {{ ref('machine_learning_curated', v=3) }}
with described as (
    {{ described_columns('machine_learning_curated', [2, 3]) }}

)

select * from described
