{#- Each interval ends where the entity's next one begins, the last is open, none is empty, and the value changes between them. -#}
{% test intervals_are_gapless(model, entity, value, valid_from, valid_to) %}

    with intervals as (

        select
            {{ entity }} as entity,
            {{ valid_from }} as valid_from,
            {{ valid_to }} as valid_to,
            {{ value }} as interval_value,
            lead({{ value }}) over (partition by {{ entity }} order by {{ valid_from }}) as next_interval_value,
            lead({{ valid_from }}) over (partition by {{ entity }} order by {{ valid_from }}) as next_valid_from
        from {{ model }}

    )

    select *
    from intervals
    where
        valid_to <= valid_from
        or valid_to <> next_valid_from
        or interval_value = next_interval_value
        or (valid_to is null and next_valid_from is not null)
        or (valid_to is not null and next_valid_from is null)

{% endtest %}
