DROP FUNCTION dot_list_entries, dot_delete_entry, dot_patch_entry, dot_put_entry, dot_get_entry, dot_precondition,
    dot_refusal, dot_merge_patch, dot_compact_bytes, dot_entry_json, dot_time, dot_uuid7, dot_open_door_to_write,
    dot_open_door;
ALTER TABLE user_apps RESET (fillfactor);
ALTER TABLE app_data RESET (fillfactor);
