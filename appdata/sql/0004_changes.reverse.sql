DROP FUNCTION dot_list_heads, dot_list_changes;
