with pairs as (

    select * from {{ ref('sensor_pairs_curated') }}

),

profiles as (

    select * from {{ ref('int_stedi__customer_profiles') }}

),

age_bands as (

    select * from {{ ref('age_bands_curated') }}

),

pseudonymous as (

    select
        pairs.reading_time,
        pairs.distance_from_object,
        pairs.x,
        pairs.y,
        pairs.z,
        profiles.customer_pseudonym,
        age_bands.published_age_band as age_band
    from pairs
    inner join profiles
        on pairs.canonical_email = profiles.canonical_email
    inner join age_bands
        on profiles.age_band = age_bands.age_band

)

select * from pseudonymous
