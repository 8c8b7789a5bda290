DROP FUNCTION dot_try_put_entries, dot_try_batches, dot_try_puts_all;
DROP FUNCTION dot_try_to_write;
