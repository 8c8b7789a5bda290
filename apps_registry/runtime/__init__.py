"""How apps run: their files, the policy they run under, the open page around them, the stand-in for browser storage."""
