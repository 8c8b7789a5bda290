"""The Model Context Protocol: what an assistant may do for a person, as tools at ``/mcp``."""
