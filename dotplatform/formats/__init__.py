"""How dates read, where Django's own formats are not what people write (FORMAT_MODULE_PATH)."""
