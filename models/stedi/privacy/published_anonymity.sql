with readings as (

    {% for version in [2, 3] -%}
    select
        cast({{ version }} as integer) as version,
        age_band,
        {{ 'customer_pseudonym' if version == 2 else 'release_pseudonym' }} as pseudonym
    from {{ ref('machine_learning_curated', v=version) }}
    {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}

),

groups as (

    select
        version,
        age_band,
        cast(count(distinct pseudonym) as integer) as customers,
        cast(count(*) as integer) as readings
    from readings
    group by
        version,
        age_band

)

select * from groups
