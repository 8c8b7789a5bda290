"""Korean."""

DATETIME_FORMAT = "Y. n. j. A g:i"  # 2026. 11. 23. 오후 4:52, as Unicode CLDR has it; Django puts 오후 behind the time
