"""What of PySpark's SQL is not there: it says so, and what to use instead.

DuckDB's interface has a part of it. Of the rest, every member that PySpark 4.3 has gets a place
here: a method raises ``NotImplementedError`` when it is called, a property when it is read.
"""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._typing import Any, NoReturn

__all__ = ["FUNCTIONS", "MEMBERS", "PROPERTIES", "fill", "function", "kind", "refusal", "restate"]


def _words(text: str) -> list[str]:
    return text.split()


_IN_SQL = "write it in SQL: createOrReplaceTempView and SparkSession.sql"
_IN_SQL_TOO = f"use expr(...) with a function of DuckDB's, or {_IN_SQL}"
_WINDOW = "write the window in SQL, with SparkSession.sql"
_ON_RDDS = "use the rdd of the data frame"
_NO_STREAMS = "use pyspark.streaming, and createDataFrame inside of foreachRDD"
_ONE_TABLE = "leave it out: a data frame here is one table in this process"

# The names of PySpark's members, and what to use where one of them is missing ("": SQL).
MEMBERS = {
    "DataFrame": {
        "approxQuantile asTable colRegex corr cov crosstab cube describe exists freqItems "
        "groupingSets lateralJoin melt mergeInto metadataColumn offset pivot "
        "randomSplit replace rollup sample sampleBy scalar summary to transpose unpivot "
        "withMetadata createOrReplaceGlobalTempView": "",
        "mapInArrow mapInPandas": _ON_RDDS,
        "executionInfo inputFiles observe plot sameSemantics semanticHash": _ONE_TABLE,
        "pandas_api": "use toPandas()",
        "stat": _IN_SQL,
        "dropDuplicatesWithinWatermark withWatermark writeStream": _NO_STREAMS,
        "writeTo": "use write",
    },
    "GroupedData": {
        "pivot": "",
        "apply applyInArrow applyInPandas cogroup": "use groupByKey of the data frame's rdd",
        "applyInPandasWithState transformWithState transformWithStateInPandas": _NO_STREAMS,
    },
    "Column": {
        "bitwiseAND bitwiseOR bitwiseXOR dropFields outer transform try_cast withField": "",
        "over": _WINDOW,
    },
    "Catalog": {
        "createExternalTable createTable dropGlobalTempView functionExists getDatabase "
        "getFunction getTable listCatalogs recoverPartitions refreshByPath refreshTable "
        "setCurrentCatalog": _IN_SQL,
        "registerFunction": "use SparkSession.udf.register",
    },
    "DataFrameReader": {
        "jdbc": "read it with a client of the database, and SparkSession.createDataFrame",
        "orc xml": "use csv, json, parquet or text",
    },
    "DataFrameWriter": {
        "bucketBy clusterBy sortBy": _ONE_TABLE,
        "partitionBy": "filter the data frame, and write each part into a folder of its own",
        "insertInto": "use SparkSession.sql with insert into",
        "jdbc": "write with a client of the database, in foreachPartition of the data frame",
        "orc xml": "use csv, json, parquet or text",
    },
    "SparkSession": {
        "addArtifact addArtifacts copyFromLocalToFs": "use SparkContext.addFile and addPyFile",
        "addTag clearTags getTags removeTag": "use SparkContext.addJobTag and the like",
        "interruptAll interruptOperation interruptTag": "use SparkContext.cancelAllJobs",
        "client clearProgressHandlers registerProgressHandler removeProgressHandler": _ONE_TABLE,
        "dataSource debug profile tvf udtf": "",
    },
}

# Read, not called.
PROPERTIES = frozenset(
    {"client", "dataSource", "debug", "executionInfo", "plot", "profile", "stat", "tvf", "udtf"}
    | {"writeStream"}
)

FUNCTIONS = _words("""
    acosh aes_decrypt aes_encrypt aggregate approx_percentile array_except arrow_udf
    arrow_udtf asinh assert_true atanh bin bit_and bit_count bit_get bit_length bit_or
    bit_xor bitmap_and_agg bitmap_bit_position bitmap_bucket_number bitmap_construct_agg
    bitmap_count bitmap_or_agg bitwiseNOT bitwise_not bool_and bool_or bucket call_udf
    cardinality char_length character_length chr collate collation collect_set column conv
    convert_timezone cosh countDistinct count_distinct count_if count_min_sketch crc32
    create_map csc cume_dist current_catalog current_database current_schema current_time
    current_timestamp current_timezone current_user date_add date_format date_from_unix_date
    date_sub dateadd datediff dayname days decode dense_rank element_at elt every exists
    explode explode_outer expm1 filter first_value forall format_number format_string
    from_avro from_csv from_json from_protobuf from_unixtime from_utc_timestamp from_xml
    get_json_object getbit grouping grouping_id hash histogram_numeric hll_sketch_agg
    hll_sketch_estimate hll_union hll_union_agg hours hypot inline inline_outer
    input_file_block_length input_file_block_start input_file_name is_valid_utf8
    is_variant_null java_method json_array_length json_object_keys json_tuple kurtosis lag
    last_value lead listagg listagg_distinct localtimestamp locate log log10 log1p make_date
    make_dt_interval make_interval make_time make_timestamp make_timestamp_ltz
    make_timestamp_ntz make_valid_utf8 make_ym_interval map_concat map_contains_key
    map_entries map_filter map_from_arrays map_from_entries map_keys map_values map_zip_with
    mask max_by min_by monotonically_increasing_id monthname months months_between
    named_struct nanvl negate next_day nth_value ntile nullifzero overlay pandas_udf
    parse_json parse_url percent_rank percentile percentile_approx pmod posexplode
    posexplode_outer position posgr power raise_error randn random randstr rank reduce
    reflect regexp_instr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy replace rint rlike row_number schema_of_csv schema_of_json
    schema_of_variant schema_of_variant_agg schema_of_xml sec sentences session_user
    session_window sha sha1 shiftLeft shiftRight shiftRightUnsigned shiftleft shiftright
    shiftrightunsigned shuffle sinh size some soundex spark_partition_id stack str_to_map
    string_agg string_agg_distinct substring_index sumDistinct sum_distinct tanh
    timestamp_add timestamp_diff timestamp_micros timestamp_millis timestamp_seconds
    toDegrees toRadians to_avro to_binary to_char to_csv to_json to_number to_protobuf
    to_time to_unix_timestamp to_utc_timestamp to_varchar to_variant_object to_xml
    transform_keys transform_values translate trunc try_add try_aes_decrypt try_avg
    try_divide try_element_at try_make_interval try_mod try_multiply try_parse_json
    try_parse_url try_reflect try_subtract try_sum try_to_binary try_to_number
    try_url_decode try_validate_utf8 try_variant_get typeof udf udtf uniform unix_timestamp
    unwrap_udt url_decode url_encode user uuid validate_utf8 variant_get version
    width_bucket window window_time xpath xxhash64 years zip_with
""")

_ADVICE_FOR_FUNCTIONS = {
    "pandas_udf": "use udf",
    "arrow_udf": "use udf",
    **dict.fromkeys(
        _words("cume_dist dense_rank lag lead nth_value ntile percent_rank rank row_number"),
        _WINDOW,
    ),
    "window": f"use DStream.window, or time_bucket in SQL ({_IN_SQL})",
    "session_window": _NO_STREAMS,
    "input_file_name": "use SparkContext.wholeTextFiles",
}


def refusal(name: str, advice: str) -> NotImplementedError:
    """Return the error for something that is not there; ``advice`` says what to use."""
    return NotImplementedError(f"{name} is not part of Swiftwater: {advice or _IN_SQL}")


def fill(owner: type, name: str) -> None:
    """Give a class the members that PySpark's class ``name`` has and it has not."""
    for names, advice in MEMBERS[name].items():
        for member in names.split():
            if not hasattr(owner, member):
                setattr(owner, member, _member(f"{name}.{member}", member, advice))


def _member(full_name: str, member: str, advice: str) -> Any:
    def missing(self: object, *arguments: object, **named: object) -> NoReturn:
        raise refusal(full_name, advice)

    missing.__name__ = member
    missing.__qualname__ = full_name
    missing.__doc__ = f"Raise ``NotImplementedError``: {advice or _IN_SQL}."
    return property(missing) if member in PROPERTIES else missing


def function(name: str) -> Callable[..., Any] | None:
    """Return what stands for a function of ``pyspark.sql.functions``; None for one it has not."""
    if name not in FUNCTIONS:
        return None
    advice = _ADVICE_FOR_FUNCTIONS.get(name, _IN_SQL_TOO)

    def missing(*arguments: object, **named: object) -> NoReturn:
        raise refusal(f"pyspark.sql.functions.{name}", advice)

    missing.__name__ = missing.__qualname__ = name
    missing.__doc__ = f"Raise ``NotImplementedError``: {advice}."
    return missing


def kind(name: str, advice: str) -> Callable[..., Any]:
    """Return what stands for a type of ``pyspark.sql.types`` that is not there."""

    def missing(*arguments: object, **named: object) -> NoReturn:
        raise refusal(f"pyspark.sql.types.{name}", advice)

    missing.__name__ = missing.__qualname__ = name
    return missing


def restate(error: Any) -> None:
    """Have an exception of DuckDB's interface say what to do here, not whom to ask for it there."""

    def said(self: Exception, message: str | None = None) -> None:
        what = message or "this form of the call is not part of Swiftwater's pyspark.sql"
        NotImplementedError.__init__(self, f"{what}; {_IN_SQL}")

    error.__init__ = said
