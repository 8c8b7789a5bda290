DROP FUNCTION dot_get_entries, dot_put_entries;
