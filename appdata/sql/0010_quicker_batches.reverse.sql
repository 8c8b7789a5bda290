DROP FUNCTION dot_lists, dot_batches;
