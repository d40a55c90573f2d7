"""The functions that Trino has and this package does not: they are refused as not emulated, not as unknown.

https://trino.io/docs/current/functions/list.html
"""

from __future__ import annotations

from local_aws.athena.errors import AthenaError, NotEmulatedError

_NAMES = frozenset(
    """approx_most_frequent approx_set bar bing_tile bing_tile_at bing_tile_coordinates bing_tile_polygon
    bing_tile_quadkey bing_tile_zoom_level bing_tiles_around bitwise_left_shift bitwise_right_shift
    bitwise_right_shift_arithmetic checksum color combinations contains_sequence convex_hull_agg cosine_similarity crc32
    current_groups empty_approx_set format format_number from_base from_base32 from_base64url from_big_endian_32
    from_big_endian_64 from_ieee754_32 from_ieee754_64 from_iso8601_timestamp_nanos from_unixtime_nanos
    geometry_union great_circle_distance hash_counts hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 human_readable_seconds
    intersection_cardinality inverse_beta_cdf inverse_normal_cdf is_json_scalar jaccard_index json_array_contains
    json_array_get luhn_check make_set_digest map_union merge merge_set_digest multimap_agg multimap_from_entries
    murmur3 ngrams normal_cdf beta_cdf numeric_histogram parse_duration parse_data_size parse_presto_data_size
    qdigest_agg reduce_agg regexp_position render rgb sha512 shuffle soundex split_to_multimap spooky_hash_v2_32
    spooky_hash_v2_64 tdigest_agg timezone_hour timezone_minute to_base to_base32 to_base64url to_big_endian_32
    to_big_endian_64 to_ieee754_32 to_ieee754_64 to_geometry to_spherical_geography trim_array url_extract_fragment
    url_extract_host url_extract_parameter url_extract_path url_extract_port url_extract_protocol url_extract_query
    value_at_quantile values_at_quantiles width_bucket wilson_interval_lower wilson_interval_upper word_stem xxhash64
    json_array json_exists json_object json_query json_value""".split()  # noqa: SIM905 - a list of words
)
# By the number of arguments: forms of functions that are here with other numbers.
_FORMS = {
    "approx_distinct": (2,),
    "approx_percentile": (3, 4),
    "array_sort": (2,),
    "from_unixtime": (3,),
    "max": (2,),
    "max_by": (3,),
    "min": (2,),
    "min_by": (3,),
    "normalize": (2,),
    "rand": (1, 2),
    "random": (1, 2),
    "split": (3,),
    "split_to_map": (4,),
    "strpos": (3,),
    "truncate": (2,),
    "zip": (3, 4, 5),
}


def not_found(name: str, message: str = "", count: int | None = None) -> AthenaError:
    """The error for a function, or a form of one, that is not here: Trino may have it, or not."""
    if name in _NAMES and count is None:
        return NotEmulatedError(f"the function {name}")
    if name.startswith("st_") and count is None:
        return NotEmulatedError(f"the geospatial function {name}")
    if count in _FORMS.get(name, ()):
        return NotEmulatedError(f"{name} with {count} arguments")
    return AthenaError("FUNCTION_NOT_FOUND", message or f"line 1:1: Function '{name}' not registered")
