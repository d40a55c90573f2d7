{% snapshot consent_periods_snapshot %}

    with consent_periods as (

        select * from {{ ref('int_stedi__consent_periods') }}

    ),

    profiles as (

        select * from {{ ref('int_stedi__customer_profiles') }}

    ),

    pseudonymous as (

        -- milliseconds, since every engine writes a timestamp its own way and the key is the same on all of them
        select
            {{ surrogate_key([
                'profiles.customer_pseudonym',
                dbt.datediff("timestamp '1970-01-01 00:00:00'", 'consent_periods.in_force_from', 'millisecond'),
            ]) }} as consent_period_id,
            profiles.customer_pseudonym,
            consent_periods.in_force_from as consented_from,
            consent_periods.in_force_until as consented_until
        from consent_periods
        inner join profiles
            on consent_periods.canonical_email = profiles.canonical_email

    )

    select * from pseudonymous

{% endsnapshot %}
