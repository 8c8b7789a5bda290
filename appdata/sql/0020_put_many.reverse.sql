DROP FUNCTION dot_try_put_entries, dot_try_batches, dot_try_put_many, dot_put_many;
DROP FUNCTION dot_try_to_write;
