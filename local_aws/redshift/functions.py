"""The functions that Redshift documents, so that a call of any other one is refused whatever PostgreSQL would make of it."""

# Words that a parenthesis may follow without being called
KEYWORDS_BEFORE_PARENTHESIS = frozenset(
    """
    all and any as between by case check cluster column cross cube default distinct distkey do else end except exists filter for
    foreign from full generated group grouping having ignore in index inner insert intersect interval into is isnull join key
    left like ilike limit minus natural not notnull nulls of offset on only or order outer over partition primary qualify
    references respect return returning returns right rollup select set sets similar some sortkey table temp temporary then to
    top union unique update using values view when where window with within write identity encode interleaved compound
    char character varchar nvarchar nchar bpchar decimal numeric dec float time timestamp timestamptz timetz bit varbyte
    varbinary varying precision text zone super recursive maxerror parallel
    """.split()
)

_CONDITIONAL = "coalesce nvl nvl2 isnull decode greatest least nullif"
_AGGREGATE = """
    any_value approximate avg count listagg max median min percentile_cont percentile_disc stddev stddev_samp stddev_pop sum
    variance var_samp var_pop bit_and bit_or bool_and bool_or
"""
_WINDOW = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank ratio_to_report row_number"
_DATE = """
    add_months convert_timezone current_date date_cmp date_cmp_timestamp date_cmp_timestamptz date_part date_part_year date_add
    date_diff date_trunc dateadd datediff extract getdate interval_cmp last_day months_between next_day sysdate timeofday
    timestamp_cmp timestamp_cmp_date timezone to_timestamp trunc pgdate_part date time timestamp
"""
_MATH = """
    abs acos asin atan atan2 cbrt ceil ceiling checksum cos cot degrees dexp dlog1 dlog10 exp floor ln log mod pi pow power
    radians random round sign sin sqrt tan to_hex trunc
"""
_STRING = """
    ascii bpcharcmp btrim bttext_pattern_cmp char_length character_length charindex chr concat crc32 difference initcap left len
    length lower lpad ltrim octet_length octetindex overlay position quote_ident quote_literal regexp_count regexp_instr
    regexp_replace regexp_substr repeat replace replicate reverse right rpad rtrim split_part strpos strtol substring textlen
    translate trim upper like
"""
_HASH = "fnv_hash func_sha1 sha sha1 sha2 md5"
_JSON = """
    is_valid_json is_valid_json_array json_array_length json_extract_array_element_text json_extract_path_text json_parse
    json_serialize can_json_parse json_size
"""
_SUPER = "array array_concat array_flatten get_array_length split_to_array subarray"
_FORMATTING = "cast convert to_char to_date to_number text_to_int_alt text_to_numeric_alt to_varchar"
_SYSTEM = """
    current_database current_setting current_user current_user_id pg_backend_pid pg_cancel_backend pg_get_cols
    pg_get_iam_role_by_user pg_get_late_binding_view_cols pg_last_copy_count pg_last_copy_id pg_last_query_id pg_terminate_backend
    session_user slice_num user version set_config user_is_member_of role_is_member_of
"""

REDSHIFT_FUNCTIONS = frozenset(
    " ".join(
        (_CONDITIONAL, _AGGREGATE, _WINDOW, _DATE, _MATH, _STRING, _HASH, _JSON, _SUPER, _FORMATTING, _SYSTEM)
    ).split()
)

# They run where no table of the user's is read: "Leader node-only functions"
LEADER_NODE_FUNCTIONS = frozenset(
    """
    current_schema current_schemas has_database_privilege has_schema_privilege has_table_privilege has_column_privilege
    has_function_privilege has_language_privilege pg_has_role substr factorial get_bit get_byte set_bit set_byte to_ascii age
    isfinite now generate_series array_to_string array_upper array_lower col_description obj_description format_type
    pg_get_expr pg_get_viewdef pg_get_userbyid pg_get_indexdef pg_get_constraintdef pg_table_is_visible pg_encoding_to_char
    pg_get_ruledef pg_get_serial_sequence pg_relation_size pg_total_relation_size pg_size_pretty pg_postmaster_start_time
    pg_function_is_visible pg_type_is_visible current_query inet_server_addr inet_server_port inet_client_addr
    inet_client_port quote_nullable localtime localtimestamp pg_opfamily_is_visible aclexplode
    """.split()
)

# Redshift has them, and they are not emulated here
NOT_EMULATED = frozenset(
    """
    hll hll_create_sketch hll_cardinality hll_combine hll_combine_sketches ai_generate_text soundex murmur3_32_hash strtoint
    collate mercator from_hex to_varbyte from_varbyte varbyte_to_hex lower_attribute_names upper_attribute_names
    object_transform object array_contains array_distinct array_except array_intersection array_position array_positions
    array_sort array_union dbt_array is_array is_bigint is_boolean is_char is_decimal is_float is_integer is_object is_scalar
    is_smallint is_varchar json_typeof explain_model try_cast get_number_attributes decimal_precision decimal_scale
    """.split()
)
