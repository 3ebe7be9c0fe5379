"""The functions that D1 runs, as far as they only read.

https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c%2B%2B allows these; of
its list `load_extension` and what ALTER TABLE calls are left out.
"""

__all__ = ["FUNCTIONS"]

_CORE = """
abs changes char coalesce concat concat_ws format glob hex ifnull iif instr last_insert_rowid length
like likelihood likely lower ltrim max min nullif octet_length printf quote random randomblob
replace round rtrim sign soundex substr substring total_changes trim typeof unhex unicode unlikely
upper zeroblob
"""
_DATES = """
date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
"""
_AGGREGATES = "avg count group_concat string_agg sum total"
_WINDOWS = """
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
"""
_MATHEMATICS = """
acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln log log2 mod pi pow
radians sin sinh sqrt tan tanh trunc
"""
_JSON = """
json json_array json_array_length json_extract json_insert json_object json_patch json_remove
json_replace json_set json_type json_valid json_quote json_group_array json_group_object json_each
json_tree
"""
_SEARCH = "match highlight bm25 snippet"
_SCHEMA = """
pragma_table_info pragma_table_xinfo pragma_table_list pragma_index_info pragma_index_list
pragma_index_xinfo pragma_foreign_key_list pragma_foreign_key_check
"""
"""As tables: https://www.sqlite.org/pragma.html#pragfunc has only those that change nothing."""

FUNCTIONS = frozenset(
    f"{_CORE}{_DATES}{_AGGREGATES}{_WINDOWS}{_MATHEMATICS}{_JSON} {_SEARCH}{_SCHEMA}".split()
)
