DROP FUNCTION dot_recount;
