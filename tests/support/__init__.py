"""Shared test helpers: processes, terminals, servers, models and sample files."""
