with counted as (

    select
        1 as place,
        'songplays' as relation,
        count(*) as row_count
    from {{ ref('songplays') }}
    union all
    select
        2 as place,
        'users' as relation,
        count(*) as row_count
    from {{ ref('users') }}
    union all
    select
        3 as place,
        'songs' as relation,
        count(*) as row_count
    from {{ ref('songs') }}
    union all
    select
        4 as place,
        'artists' as relation,
        count(*) as row_count
    from {{ ref('artists') }}
    union all
    select
        5 as place,
        'time' as relation,
        count(*) as row_count
    from {{ ref('time') }}
    union all
    select
        6 as place,
        'customer_trusted' as relation,
        count(*) as row_count
    from {{ ref('customer_trusted') }}
    union all
    select
        7 as place,
        'accelerometer_trusted' as relation,
        count(*) as row_count
    from {{ ref('accelerometer_trusted') }}
    union all
    select
        8 as place,
        'step_trainer_trusted' as relation,
        count(*) as row_count
    from {{ ref('step_trainer_trusted') }}
    union all
    select
        9 as place,
        'customer_curated' as relation,
        count(*) as row_count
    from {{ ref('customer_curated') }}
    union all
    select
        10 as place,
        'machine_learning_curated_v1' as relation,
        count(*) as row_count
    from {{ ref('machine_learning_curated', v=1) }}
    union all
    select
        11 as place,
        'machine_learning_curated_v2' as relation,
        count(*) as row_count
    from {{ ref('machine_learning_curated', v=2) }}
    union all
    select
        12 as place,
        'machine_learning_curated_v3' as relation,
        count(*) as row_count
    from {{ ref('machine_learning_curated', v=3) }}

)

select * from counted
order by place
