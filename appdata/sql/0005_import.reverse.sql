DROP FUNCTION dot_finish_import, dot_import_entries;
