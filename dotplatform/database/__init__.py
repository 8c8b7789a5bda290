"""The embedded server, the two doors, and the row-security constraints."""
